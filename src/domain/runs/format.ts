import type { TranslationBundle } from '@jupyterlab/translation';

import { toNumber } from '../../lib/metricValue';
import type { Goal, Run, RunError } from './types';

const ENDED: ReadonlySet<Run['status']> = new Set([
  'Completed',
  'Failed',
  'Canceled'
]);
const WAITING: ReadonlySet<Run['status']> = new Set([
  'NotStarted',
  'Queued',
  'Paused',
  'Preparing'
]);

/** Whether nothing more will come of it. */
export function hasEnded(run: Pick<Run, 'status'>): boolean {
  return ENDED.has(run.status);
}

/** Whether it has not begun yet. */
export function isWaiting(run: Pick<Run, 'status'>): boolean {
  return WAITING.has(run.status);
}

/** Whether it can be put on hold: it stands in the queue, and nothing of it has begun. */
export function canHold(run: Pick<Run, 'status' | 'kind'>): boolean {
  return run.kind !== 'interactive' && run.status === 'Queued';
}

/** Whether it can be let go on: it is on hold, or waits for its next attempt. */
export function canResume(
  run: Pick<Run, 'status' | 'kind' | 'waiting'>
): boolean {
  return (
    run.kind !== 'interactive' &&
    (run.status === 'Paused' || run.waiting?.code === 'backoff')
  );
}

/** Whether it can be canceled: a job that has not ended and was not asked to end. */
export function canCancel(run: Pick<Run, 'status' | 'kind'>): boolean {
  return (
    run.kind !== 'interactive' &&
    !hasEnded(run) &&
    run.status !== 'CancelRequested'
  );
}

/** "Failed in cell 7, "Train"": where it broke, cells counted from 1 as people do. */
export function failurePlace(
  error: RunError,
  trans: TranslationBundle
): string {
  const { cell, cell_name: name } = error;
  if (cell === null || cell === undefined) {
    return trans.__('The run failed');
  }
  return name
    ? trans.__('Failed in cell %1, “%2”', cell + 1, name)
    : trans.__('Failed in cell %1', cell + 1);
}

/** Why a run ended as it did, where the status alone does not tell. */
export function endReason(
  reason: string | null,
  trans: TranslationBundle
): string {
  const words: Record<string, string> = {
    error: trans.__('an error in the code'),
    timeout: trans.__('it took longer than its time limit'),
    lost: trans.__('its process vanished without a word'),
    kernel_ended: trans.__('its kernel ended'),
    out_of_memory: trans.__('it used more memory than it may'),
    batch: trans.__('the batch system ended it'),
    canceled: trans.__('it was canceled'),
    spawn_failed: trans.__('it could not be started'),
    retry: trans.__('it failed, and is tried again')
  };
  return reason ? (words[reason] ?? reason) : '';
}

/** What the badge says on hover. */
export function statusReason(run: Run, trans: TranslationBundle): string {
  return (
    run.waiting?.reason ?? run.error?.message ?? endReason(run.reason, trans)
  );
}

/** The kind of a run as words. */
export function kindLabel(kind: Run['kind'], trans: TranslationBundle): string {
  const labels: Record<Run['kind'], string> = {
    interactive: trans.__('Interactive'),
    notebook: trans.__('Notebook job'),
    command: trans.__('Command job'),
    extension: trans.__('Job of another package')
  };
  return labels[kind];
}

/** The file's name of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A value for the page's head. */
export interface IHeadMetric {
  key: string;
  value: number;
  /** The best value on the way, by the experiment's goal, where the last one is worse. */
  best?: number;
}

/** The few metrics that stand in the page's head: the goal's, then plain names, the first ones by name; none of "system/…". */
export function headMetrics(
  metrics: Run['metrics'],
  goal: Goal | null = null,
  count = 3
): IHeadMetric[] {
  return Object.values(metrics)
    .filter(({ key }) => key === goal?.metric || !key.startsWith('system/'))
    .sort(
      (a, b) =>
        Number(b.key === goal?.metric) - Number(a.key === goal?.metric) ||
        Number(a.key.includes('/')) - Number(b.key.includes('/')) ||
        a.key.localeCompare(b.key)
    )
    .slice(0, count)
    .map(({ key, last, min, max }) => {
      const value = toNumber(last);
      const best = toNumber(goal?.direction === 'minimize' ? min : max);
      return key === goal?.metric && best !== value && !Number.isNaN(best)
        ? { key, value, best }
        : { key, value };
    });
}

/** How long it ran, going on from the time the answer came. */
export function liveDuration(
  run: Pick<Run, 'status' | 'duration_ms'>,
  answeredAt: number,
  now: number
): number | null {
  const { duration_ms: duration } = run;
  return duration === null || hasEnded(run)
    ? duration
    : duration + Math.max(0, now - answeredAt);
}
