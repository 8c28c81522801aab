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
/** A job that has ended on a target. */
export type EndedJob = Schemas['EndedJob'];
/** Who has used a target. */
export type ComputeUsage = Schemas['ComputeUsage'];
/** What the jobs of one user used. */
export type UserUse = Schemas['UserUse'];
/** Of which time. */
export type Span = ComputeUsage['span'];
/** What a test found, and when. */
export type TargetCheck = Schemas['TargetCheck'];
/** A target to make. */
export type ComputeCreate = Schemas['ComputeCreate'];
/** Where a host is, and how to get in. */
export type SshPlace = Schemas['SshPlace'];
/** What a host said of itself. */
export type HostFacts = Schemas['HostFacts'];
/** A host to make a target of. */
export type SshCreate = Schemas['SshCreate'];
/** Slurm, to make a target of. */
export type SlurmCreate = Schemas['SlurmCreate'];
/** PBS, to make a target of. */
export type PbsCreate = Schemas['PbsCreate'];
/** LSF, to make a target of. */
export type LsfCreate = Schemas['LsfCreate'];
/** Another Jupyter server, to make a target of. */
export type GatewayCreate = Schemas['GatewayCreate'];
/** A key that a host shows. */
export type ShownKey = Schemas['ShownKey'];
