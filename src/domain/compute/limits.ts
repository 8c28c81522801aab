import type { TranslationBundle } from '@jupyterlab/translation';

import { formatBytes } from '../../lib/format';
import { readSize } from '../../lib/size';
import type { ComputeTarget, ComputeUpdate } from './types';

/** What can be set of a target, each with its place in a form. */
export const LIMITS = [
  'max_jobs',
  'min_instances',
  'cpus',
  'memory_bytes',
  'gpus',
  'max_jobs_per_user',
  'cpus_per_user',
  'memory_bytes_per_user',
  'gpus_per_user'
] as const;

/** One of them. */
export type Limit = (typeof LIMITS)[number];

/** What is typed into the form, as text; empty is what the settings say. */
export type LimitTexts = Record<Limit, string>;

/** The form as it opens. */
export function startLimits(target: ComputeTarget): LimitTexts {
  const { total, per_user: user } = target;
  const text = (value: number | null): string =>
    value === null ? '' : String(value);
  // Rounded: it is sent only where somebody writes another one.
  const bytes = (value: number | null): string =>
    value === null ? '' : formatBytes(value);
  return {
    max_jobs: String(target.max_jobs),
    min_instances: String(target.min_instances),
    cpus: text(total.cpus),
    memory_bytes: bytes(total.memory_bytes),
    gpus: text(total.gpus),
    max_jobs_per_user: text(user.max_jobs),
    cpus_per_user: text(user.cpus),
    memory_bytes_per_user: bytes(user.memory_bytes),
    gpus_per_user: text(user.gpus)
  };
}

/** A text of the form as a number; null for none, NaN for what is no limit. */
export function readLimit(limit: Limit, text: string): number | null {
  const trimmed = text.trim();
  if (!trimmed) {
    return null;
  }
  if (limit.startsWith('memory')) {
    return readSize(trimmed);
  }
  const value = Number(trimmed.replace(',', '.'));
  const whole = !limit.startsWith('cpus');
  const least = fromZero(limit) ? 0 : whole ? 1 : 0.01;
  return Number.isFinite(value) &&
    value >= least &&
    (!whole || Number.isInteger(value))
    ? value
    : NaN;
}

function fromZero(limit: Limit): boolean {
  return limit.startsWith('gpus') || limit === 'min_instances';
}

/** What is wrong, by limit. */
export function limitProblems(
  texts: LimitTexts,
  trans: TranslationBundle
): Partial<LimitTexts> {
  const problems: Partial<LimitTexts> = {};
  for (const limit of LIMITS) {
    if (Number.isNaN(readLimit(limit, texts[limit]))) {
      problems[limit] = limit.startsWith('memory')
        ? trans.__('A size with its unit: 4GiB, 512 MB.')
        : limit.startsWith('cpus')
          ? trans.__('A number above 0.')
          : fromZero(limit)
            ? trans.__('A whole number from 0 on.')
            : trans.__('A whole number from 1 on.');
    }
  }
  return problems;
}

/** What is sent: only what differs from what the form began with. */
export function changedLimits(
  texts: LimitTexts,
  before: LimitTexts
): ComputeUpdate {
  return Object.fromEntries(
    LIMITS.filter(limit => texts[limit].trim() !== before[limit]).map(limit => [
      limit,
      readLimit(limit, texts[limit])
    ])
  );
}
