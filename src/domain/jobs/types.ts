import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** What is sent to submit a job. */
export type JobCreate = Schemas['JobCreate'];
/** What runs, waits, or has just ended. */
export type JobList = Schemas['JobList'];
/** What the form knows of a notebook. */
export type NotebookInspection = Schemas['NotebookInspection'];
/** A parameter as read from a notebook. */
export type ParameterField = Schemas['ParameterField'];
/** Where a job can run. */
export type ComputeTarget = Schemas['ComputeTarget'];
