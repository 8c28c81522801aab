/** A job as a job file; see docs/reference/job-files.md. Pure. */

import { sizeText } from '../../lib/size';
import type { JobCreate } from './types';

/** The file and what to do with it. */
export interface IJobFile {
  /** What it is called beside the notebook. */
  name: string;
  text: string;
  /** Submits it as it stands: options that a file has no fields for among it. */
  command: string;
}

/** What a notebook job of the form looks like as a file that lies beside its notebook. */
export function jobFile(job: JobCreate, workspace: string): IJobFile {
  const spec = 'notebook' in job.spec ? job.spec : null;
  const notebook = baseName(spec?.notebook ?? '');
  const name = `${notebook.replace(/\.ipynb$/, '')}.job.yml`;
  const lines = [
    'type: notebook',
    ...field('display_name', job.name),
    ...field('experiment_name', job.experiment),
    ...field('description', job.note),
    ...section('tags', job.tags, text),
    ...field('compute', job.target),
    ...field('environment', job.environment),
    `notebook: ${text(notebook)}`,
    ...field('kernel', spec?.kernel),
    ...section('parameters', spec?.parameters, json),
    ...(spec?.keep_kernel_on_failure ? ['keep_kernel_on_failure: true'] : []),
    ...section('environment_variables', job.env, text),
    ...section('secrets', job.secrets, text),
    ...limits(job.timeout_s, spec?.memory_limit),
    ...(job.max_retries
      ? ['retry_settings:', `  max_retries: ${job.max_retries}`]
      : []),
    ...resources(job.resources)
  ];
  const options = [
    workspace !== 'default' && `--workspace ${argument(workspace)}`,
    job.priority && `--priority ${job.priority}`,
    job.in_place && '--in-place',
    job.confirm_large && '--confirm-large'
  ].filter(Boolean);
  return {
    name,
    text: `${lines.join('\n')}\n`,
    command: ['mlws job create --file', argument(name), ...options].join(' ')
  };
}

function limits(timeout?: number, memory?: number): string[] {
  return timeout || memory
    ? [
        'limits:',
        ...(timeout ? [`  timeout: ${timeout}`] : []),
        ...(memory ? [`  memory: ${sizeText(memory)}`] : [])
      ]
    : [];
}

function resources(asked: JobCreate['resources']): string[] {
  const lines = [
    asked?.cpus && `  cpus: ${asked.cpus}`,
    asked?.memory_bytes && `  memory: ${sizeText(asked.memory_bytes)}`,
    asked?.gpus && `  gpus: ${asked.gpus}`
  ].filter(line => typeof line === 'string');
  return lines.length > 0 ? ['resources:', ...lines] : [];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function field(name: string, value: string | undefined): string[] {
  return value ? [`${name}: ${text(value)}`] : [];
}

function section<T>(
  name: string,
  values: Readonly<Record<string, T>> | undefined,
  write: (value: T) => string
): string[] {
  const entries = Object.entries(values ?? {}).filter(
    ([, value]) => value !== undefined
  );
  return entries.length > 0
    ? [
        `${name}:`,
        ...entries.map(([key, value]) => `  ${text(key)}: ${write(value)}`)
      ]
    : [];
}

/** Words that YAML 1.1 takes for something else than a text. */
const WORDS = /^(y|n|yes|no|on|off|true|false|null|nan|inf)$/i;
/** A text that needs no quotes. */
const PLAIN = /^[A-Za-z_][\w./-]*( [\w./-]+)*$/;

/** A text, in quotes where YAML would read something else. Its double quotes are those of JSON. */
function text(value: string): string {
  return PLAIN.test(value) && !WORDS.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  // What YAML takes for the end of a line, or refuses, but JSON does not escape.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  );
}

/** Any JSON value: lists and mappings in one line, as they are typed. */
function json(value: unknown): string {
  if (typeof value === 'string') {
    return text(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(json).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, one]) => `${quoted(key)}: ${json(one)}`
    );
    return `{${entries.join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** A word of a shell line. */
function argument(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
