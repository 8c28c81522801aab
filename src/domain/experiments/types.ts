import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** An experiment as lists show it. */
export type Experiment = Schemas['Experiment'];
/** The metric that says which run is best. */
export type Goal = Schemas['Goal'];
