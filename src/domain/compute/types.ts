import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** Where jobs run, with what runs there and what waits. */
export type ComputeTarget = Schemas['ComputeTarget'];
/** A job that waits on a target. */
export type QueuedJob = Schemas['QueuedJob'];
/** A job that runs on a target. */
export type LiveJob = Schemas['LiveJob'];
/** What may change of a target. */
export type ComputeUpdate = Schemas['ComputeUpdate'];
/** CPUs, memory and GPUs. */
export type Amounts = Schemas['Amounts'];
