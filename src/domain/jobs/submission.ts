import type { TranslationBundle } from '@jupyterlab/translation';

import { ApiError } from '../../api/errors';
import { changedValues, draftProblem, type Drafts } from './drafts';
import { readSize } from '../../lib/size';
import { readSpan } from '../../lib/span';
import { kernelProblem, type IKernels } from './kernels';
import { readPairs, readSecrets } from './lines';
import {
  askedResources,
  findResourceProblems,
  type IResourceDraft,
  type ResourceField
} from './resources';
import type { ISubject, JobCreate, NotebookInspection } from './types';

/** All that the form holds. */
export interface ISubmission extends IResourceDraft {
  kernel: string;
  /** The shell line of a command job. */
  command: string;
  target: string;
  /** An environment of the workspace; empty for none. */
  environment: string;
  experiment: string;
  name: string;
  drafts: Drafts;
  priority: number | null;
  timeout: string;
  keepKernel: boolean;
  inPlace: boolean;
  env: string;
  /** Variables with the names of the secrets that they hold. */
  secrets: string;
  tags: string;
  note: string;
  confirmed: boolean;
}

/** A field of the form that can be wrong. */
export type SubmissionField =
  | 'notebook'
  | 'kernel'
  | 'command'
  | 'target'
  | 'environment'
  | 'experiment'
  | 'name'
  | 'priority'
  | 'timeout_s'
  | ResourceField
  | 'env'
  | 'secrets'
  | 'tags'
  | 'note'
  | 'confirm_large'
  | `parameters.${string}`;

/** What is wrong, by field. */
export type Problems = Partial<Record<SubmissionField, string>>;

/** The fields behind "More options". */
export const ADVANCED: readonly SubmissionField[] = [
  'priority',
  'timeout_s',
  'memory_limit',
  'max_retries',
  'resources.cpus',
  'resources.memory_bytes',
  'resources.gpus',
  'env',
  'secrets',
  'tags',
  'note'
];

/** The form as it opens. */
export function startSubmission(
  inspection: NotebookInspection,
  target: string
): ISubmission {
  return {
    kernel: inspection.kernel ?? '',
    command: '',
    target,
    environment: '',
    experiment: inspection.default_experiment,
    name: '',
    drafts: {},
    priority: 0,
    timeout: '',
    memoryLimit: '',
    keepKernel: false,
    retries: 0,
    cpus: null,
    memory: '',
    gpus: null,
    inPlace: false,
    env: '',
    secrets: '',
    tags: '',
    note: '',
    confirmed: false
  };
}

/** The kind of the job that comes of the form. */
export function kindOfJob({ job }: ISubject): string {
  return job?.spec.kind ?? 'notebook';
}

/**
 * What the form itself sees to be wrong.
 *
 * @param there - Whether a kernel can be had on the target of the form, and on which other one it can.
 */
export function findProblems(
  form: ISubmission,
  subject: ISubject,
  trans: TranslationBundle,
  there: IKernels = {
    has: kernel => kernel !== subject.kernel || subject.kernel_available,
    whose: () => null
  }
): Problems {
  const problems: Problems = {};
  const kind = kindOfJob(subject);
  for (const field of subject.parameters) {
    const problem = draftProblem(field, form.drafts, trans);
    if (problem) {
      problems[`parameters.${field.name}`] = problem;
    }
  }
  if (kind === 'command' && !form.command.trim()) {
    problems.command = trans.__('What should run? A shell line is needed.');
  }
  const kernel =
    kind === 'notebook' ? kernelProblem(form.kernel, there, trans) : '';
  if (kernel) {
    problems.kernel = kernel;
  }
  if (
    form.priority === null ||
    !Number.isInteger(form.priority) ||
    Math.abs(form.priority) > 100
  ) {
    problems.priority = trans.__('A whole number from −100 to 100.');
  }
  const span = readSpan(form.timeout);
  if (span !== null && !(span >= 1)) {
    problems.timeout_s = trans.__('A span with its unit: 90s, 45m, 2h.');
  }
  if (readSecrets(form.secrets).wrong !== null) {
    problems.secrets = trans.__(
      '“%1” is neither VARIABLE=secret nor the name of both.',
      readSecrets(form.secrets).wrong ?? ''
    );
  }
  findResourceProblems(form, problems, trans);
  const kept = { env: subject.job?.env_names, tags: undefined };
  for (const key of ['env', 'tags'] as const) {
    const { wrong } = readPairs(form[key], kept[key]);
    if (wrong !== null) {
      problems[key] = trans.__('“%1” is no NAME=value.', wrong);
    }
  }
  return problems;
}

/** What is sent: only what differs from what the server would take by itself. */
export function buildJob(
  form: ISubmission,
  inspection: NotebookInspection
): JobCreate {
  const parameters = changedValues(inspection.parameters, form.drafts);
  const { pairs: env } = readPairs(form.env);
  const { pairs: secrets } = readSecrets(form.secrets);
  const timeout = readSpan(form.timeout);
  const memory = readSize(form.memoryLimit);
  const resources = askedResources(form);
  return {
    spec: {
      kind: 'notebook',
      notebook: inspection.path,
      ...(form.kernel !== inspection.kernel && { kernel: form.kernel }),
      ...(parameters && { parameters }),
      ...(memory !== null && { memory_limit: memory }),
      ...(form.keepKernel && { keep_kernel_on_failure: true })
    },
    target: form.target,
    ...(form.environment && { environment: form.environment }),
    ...(form.experiment.trim() && { experiment: form.experiment.trim() }),
    ...givenWords(form),
    ...(form.priority && { priority: form.priority }),
    ...(timeout !== null && { timeout_s: timeout }),
    ...(form.retries && { max_retries: form.retries }),
    ...(resources && { resources }),
    ...(form.inPlace && { in_place: true }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(form.confirmed && { confirm_large: true })
  };
}

/** What each run is given anew: its name, tags and note. */
export function givenWords(
  form: ISubmission
): Pick<JobCreate, 'name' | 'tags' | 'note'> {
  const { pairs: tags } = readPairs(form.tags);
  return {
    ...(form.name.trim() && { name: form.name.trim() }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(form.note.trim() && { note: form.note })
  };
}

const FIELDS: readonly string[] = [
  'notebook',
  'kernel',
  'command',
  'target',
  'environment',
  'experiment',
  'name',
  'confirm_large',
  ...ADVANCED
];

/** Where in the form an answer's error belongs; null when it is about none of its fields. */
export function placeOf(
  error: unknown,
  subject: ISubject
): SubmissionField | null {
  if (!(error instanceof ApiError) || !error.field) {
    return null;
  }
  const path = error.field.replace(/^spec\./, '');
  const parameter = subject.parameters.find(
    ({ name }) =>
      path === `parameters.${name}` || path.startsWith(`parameters.${name}.`)
  );
  if (parameter) {
    return `parameters.${parameter.name}`;
  }
  if (FIELDS.includes(path)) {
    return path as SubmissionField;
  }
  const root = path.split(/[.[]/)[0] ?? '';
  return FIELDS.includes(root) ? (root as SubmissionField) : null;
}
