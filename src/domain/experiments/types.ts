import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** An experiment as lists show it. */
export type Experiment = Schemas['Experiment'];
/** Which runs of an experiment are kept. */
export type Retention = Schemas['Retention'];
/** The rule that counts, and what it did last. */
export type RetentionState = Schemas['RetentionState'];
/** What a rule did, or would do. */
export type RetentionPlan = Schemas['RetentionPlan'];
/** The metric that says which run is best. */
export type Goal = Schemas['Goal'];
