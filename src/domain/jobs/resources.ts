import type { TranslationBundle } from '@jupyterlab/translation';

import { readSize } from '../../lib/size';
import type { JobCreate } from './types';

/** No job is given less memory than this: 16 MiB. */
const SMALLEST = 16 * 1024 * 1024;

/** What the form holds of it. */
export interface IResourceDraft {
  retries: number | null;
  cpus: number | null;
  /** As it is typed: "4GiB". */
  memory: string;
  gpus: number | null;
  /** The most that it may use, as it is typed. */
  memoryLimit: string;
}

/** A field of it that can be wrong. */
export type ResourceField =
  | 'memory_limit'
  | 'max_retries'
  | 'resources.cpus'
  | 'resources.memory_bytes'
  | 'resources.gpus';

/** What is wrong with the retries, the memory limit and what the job asks for. */
export function findResourceProblems(
  form: IResourceDraft,
  problems: Partial<Record<ResourceField, string>>,
  trans: TranslationBundle
): void {
  const { retries, cpus, gpus } = form;
  if (!isWhole(retries, 20)) {
    problems.max_retries = trans.__('A whole number from 0 to 20.');
  }
  if (cpus !== null && !(cpus > 0)) {
    problems['resources.cpus'] = trans.__('A number above 0.');
  }
  const limit = readSize(form.memoryLimit);
  if (limit !== null && !(limit >= SMALLEST)) {
    problems.memory_limit = trans.__('A size with its unit: 4GiB, 512 MB.');
  }
  if (Number.isNaN(readSize(form.memory))) {
    problems['resources.memory_bytes'] = trans.__(
      'A size with its unit: 4GiB, 512 MB.'
    );
  }
  if (gpus !== null && !isWhole(gpus, 1000)) {
    problems['resources.gpus'] = trans.__('A whole number from 0 on.');
  }
}

function isWhole(value: number | null, most: number): boolean {
  return (
    value !== null && Number.isInteger(value) && value >= 0 && value <= most
  );
}

/** What the job asks of its target; undefined for nothing. */
export function askedResources(form: IResourceDraft): JobCreate['resources'] {
  const memory = readSize(form.memory);
  const asked = {
    ...(form.cpus && { cpus: form.cpus }),
    ...(memory && { memory_bytes: memory }),
    ...(form.gpus && { gpus: form.gpus })
  };
  return Object.keys(asked).length > 0 ? asked : undefined;
}
