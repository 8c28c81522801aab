/** A job that is run again, as a form. Pure. */

import type { Job, ReRun } from '../runs';
import { readSize, sizeText } from '../../lib/size';
import { readSpan, spanText } from '../../lib/span';
import { changedValues, isSame } from './drafts';
import { readPairs, readSecrets, secretsText } from './lines';
import { askedResources } from './resources';
import { givenWords, type ISubmission } from './submission';
import type { IFormParameter, ISubject, ParameterField } from './types';

/**
 * What the form is about.
 *
 * @param declared - What the notebook of the job's snapshot declares: that is what runs again. null when it
 * cannot be read; then the run's own record of its parameters stands in.
 * @param kernels - The names of the kernels there are; undefined while they are not known.
 */
export function rerunSubject(
  job: Job,
  declared: readonly ParameterField[] | null,
  kernels: readonly string[] | undefined
): ISubject {
  const { spec } = job;
  const kernel = spec.kind === 'notebook' ? (spec.kernel ?? null) : null;
  return {
    job,
    kernel,
    kernel_display_name: null,
    kernel_available:
      kernel !== null && (kernels === undefined || kernels.includes(kernel)),
    has_parameters_cell: true,
    parameters: parametersOf(job, declared)
  };
}

/** What is declared, then what was given all the same. */
function parametersOf(
  { spec, run }: Job,
  declared: readonly ParameterField[] | null
): IFormParameter[] {
  if (spec.kind !== 'notebook') {
    return [];
  }
  const given: Record<string, unknown> = spec.parameters ?? {};
  const fields = (declared ?? []).map(field =>
    Object.hasOwn(given, field.name) && !isDefault(field, given[field.name])
      ? { ...field, had: { value: given[field.name] } }
      : field
  );
  const known = new Set(fields.map(({ name }) => name));
  const others = { ...(declared ? {} : run.params), ...given };
  return [
    ...fields,
    ...Object.entries(others)
      .filter(([name]) => !known.has(name))
      .map(([name, value]) => undeclared(name, value))
  ];
}

function isDefault(field: ParameterField, value: unknown): boolean {
  return field.required_literal && isSame(field.default, value);
}

/** Anything can be typed into it. */
function undeclared(name: string, value: unknown): IFormParameter {
  return {
    name,
    type: 'unknown',
    default: null,
    default_source: '',
    help: '',
    required_literal: true,
    annotated: false,
    had: { value }
  };
}

/** The form as it opens. */
export function startRerun({
  run,
  spec,
  environment,
  priority,
  timeout_s: timeout,
  max_retries: retries,
  asks,
  env_names: env,
  secrets
}: Job): ISubmission {
  return {
    kernel: (spec.kind === 'notebook' && spec.kernel) || '',
    command: spec.kind === 'command' ? spec.command : '',
    target: run.target ?? '',
    environment: environment ?? '',
    experiment: run.experiment_name,
    name: '',
    drafts: {},
    priority,
    timeout: spanText(timeout),
    memoryLimit: sizeText(spec.memory_limit),
    keepKernel: keepsKernel(spec),
    retries,
    cpus: asks.cpus,
    memory: sizeText(asks.memory_bytes),
    gpus: asks.gpus,
    inPlace: false,
    env: env.join('\n'),
    secrets: secretsText(secrets),
    tags: '',
    note: '',
    confirmed: false
  };
}

function keepsKernel(spec: Job['spec']): boolean {
  return spec.kind === 'notebook' && spec.keep_kernel_on_failure === true;
}

/** What is sent: only what differs from what the job had. */
export function buildRerun(
  form: ISubmission,
  job: Job,
  parameters: readonly IFormParameter[]
): ReRun {
  const before = startRerun(job);
  const values = changedValues(parameters, form.drafts);
  const env = changedEnv(form.env, job.env_names);
  const secrets = changedSecrets(form.secrets, job.secrets);
  const experiment = form.experiment.trim();
  return {
    ...givenWords(form),
    ...(experiment && experiment !== before.experiment && { experiment }),
    ...(form.kernel !== before.kernel && { kernel: form.kernel }),
    ...(form.command !== before.command && { command: form.command }),
    ...(values && { parameters: values }),
    ...(form.target !== before.target && { target: form.target }),
    ...(form.environment !== before.environment && {
      environment: form.environment || null
    }),
    ...(form.priority !== null &&
      form.priority !== job.priority && { priority: form.priority }),
    ...(readSpan(form.timeout) !== job.timeout_s && {
      timeout_s: readSpan(form.timeout)
    }),
    ...(readSize(form.memoryLimit) !== (job.spec.memory_limit ?? null) && {
      memory_limit: readSize(form.memoryLimit)
    }),
    ...(form.keepKernel !== before.keepKernel && {
      keep_kernel_on_failure: form.keepKernel
    }),
    ...(form.retries !== null &&
      form.retries !== job.max_retries && { max_retries: form.retries }),
    ...(!isSame(askedResources(form), askedResources(before)) && {
      resources: askedResources(form) ?? null
    }),
    ...(env && { env }),
    ...(secrets && { secrets })
  };
}

/** New values, and null for each name that is gone; undefined when nothing is changed. */
function changedEnv(
  text: string,
  before: readonly string[]
): Record<string, string | null> | undefined {
  const { pairs, kept } = readPairs(text, before);
  const gone = before.filter(
    name => !kept.includes(name) && !Object.hasOwn(pairs, name)
  );
  const env = {
    ...pairs,
    ...Object.fromEntries(gone.map(name => [name, null]))
  };
  return Object.keys(env).length > 0 ? env : undefined;
}

/** Other secrets, and null for each variable that is gone; undefined when nothing is changed. */
function changedSecrets(
  text: string,
  before: Readonly<Record<string, string>>
): Record<string, string | null> | undefined {
  const { pairs } = readSecrets(text);
  const changes = Object.fromEntries([
    ...Object.entries(pairs).filter(([name, one]) => before[name] !== one),
    ...Object.keys(before)
      .filter(name => !Object.hasOwn(pairs, name))
      .map(name => [name, null] as const)
  ]);
  return Object.keys(changes).length > 0 ? changes : undefined;
}
