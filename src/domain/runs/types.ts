import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** A run as lists and pages show it. */
export type Run = Schemas['Run'];
/** A job: its run, what it was asked to do, and what its snapshot left out. */
export type Job = Schemas['Job'];
/** What is changed of a job when it is run again. */
export type ReRun = Schemas['ReRun'];
/** The metric that an experiment is about, and which way is better. */
export type Goal = Schemas['Goal'];
/** Why a run failed. */
export type RunError = Schemas['RunError'];
/** What a person may change of a run. */
export type RunUpdate = Schemas['RunUpdate'];
/** What a run ran in. */
export type Environment = Schemas['EnvironmentCapture'];
/** A named input or output. */
export type RunIO = Schemas['RunIO'];
