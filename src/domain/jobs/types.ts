import type { components } from '../../api/schema';
import type { Job } from '../runs';

export type { ComputeTarget } from '../compute';

type Schemas = components['schemas'];

/** What is sent to submit a job. */
export type JobCreate = Schemas['JobCreate'];
/** What runs, waits, or has just ended. */
export type JobList = Schemas['JobList'];
/** What the form knows of a notebook. */
export type NotebookInspection = Schemas['NotebookInspection'];
/** A kernel that is installed, here or on another host. */
export type KernelChoice = Schemas['KernelChoice'];
/** A parameter as read from a notebook. */
export type ParameterField = Schemas['ParameterField'];
/** A parameter of the form. */
export interface IFormParameter extends ParameterField {
  /** What the job that is run again had in the place of the default. */
  had?: { value: unknown };
}
/** What the form is about: a notebook, or a job that is run again. Of a job without a notebook nothing is known of kernel and parameters. */
export interface ISubject extends Pick<
  NotebookInspection,
  'kernel' | 'kernel_display_name' | 'kernel_available' | 'has_parameters_cell'
> {
  parameters: readonly IFormParameter[];
  /** The job that is run again. */
  job?: Job;
}
