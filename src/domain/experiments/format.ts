import type { TranslationBundle } from '@jupyterlab/translation';

import { toNumber } from '../../lib/metricValue';
import { statusReason, type Run } from '../runs';
import type { Experiment } from './types';

/** The metric that a run's row shows: the experiment's goal, else the first one by name. */
export function shownMetric(
  run: Run,
  experiment: Experiment | null
): string | null {
  const goal = experiment?.goal?.metric;
  if (goal !== undefined) {
    return goal;
  }
  const keys = Object.keys(run.metrics).sort(
    (a, b) =>
      Number(a.startsWith('system/')) - Number(b.startsWith('system/')) ||
      Number(a.includes('/')) - Number(b.includes('/')) ||
      a.localeCompare(b)
  );
  return keys[0] ?? null;
}

/** The last value of a metric; null where the run has none. */
export function lastValue(run: Run, metric: string | null): number | null {
  const summary = metric === null ? undefined : run.metrics[metric];
  return summary ? toNumber(summary.last) : null;
}

/** "cell 7: ValueError": the end of a failed run in few words. Cells count from 1, as people do. */
export function shortFailure(run: Run, trans: TranslationBundle): string {
  const { error } = run;
  if (!error) {
    return statusReason(run, trans);
  }
  const what = error.kind ?? error.message;
  return error.cell === null || error.cell === undefined
    ? what
    : trans.__('cell %1: %2', error.cell + 1, what);
}

/** All that a row says on hover. */
export function runTitle(run: Run, trans: TranslationBundle): string {
  const reason = statusReason(run, trans);
  const place =
    run.waiting?.position &&
    trans.__('Place %1 in the queue', run.waiting.position);
  const progress =
    run.progress &&
    trans.__('Cell %1 of %2', run.progress.done, run.progress.total);
  return [run.name, reason, place, progress].filter(Boolean).join('\n');
}

/** How many of an experiment's runs have not ended. */
export function liveCount(experiment: Experiment): number {
  const { Completed, Failed, Canceled } = experiment.by_status;
  const ended = (Completed ?? 0) + (Failed ?? 0) + (Canceled ?? 0);
  return Math.max(0, experiment.runs - ended);
}
