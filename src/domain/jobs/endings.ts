import type { TranslationBundle } from '@jupyterlab/translation';

import { formatDuration, shortName } from '../../lib/format';
import { hasEnded, statusReason, type Run } from '../runs';
import type { JobList } from './types';

/** Ids of the jobs that have ended between two looks, also of those that came and went meanwhile. */
export function endedBetween(
  before: JobList | undefined,
  after: JobList | undefined
): string[] {
  if (!before || !after) {
    // What ended while nobody looked is not told: only endings seen live are.
    return [];
  }
  const active = new Set(after.jobs.map(({ id }) => id));
  const known = new Set(before.ended);
  const ended = [...before.jobs.map(({ id }) => id), ...after.ended];
  return [...new Set(ended)].filter(id => !active.has(id) && !known.has(id));
}

/**
 * What a notification says of an ended job; null while it has not ended. A long name is shortened:
 * JupyterLab cuts what comes after 140 characters, and the news comes last.
 */
export function endingText(
  run: Run,
  trans: TranslationBundle
): { type: 'success' | 'error' | 'info'; text: string } | null {
  if (!hasEnded(run)) {
    return null;
  }
  const name = shortName(run.name);
  const took = formatDuration(run.duration_ms);
  if (run.status === 'Completed') {
    return {
      type: 'success',
      text: trans.__('%1 completed in %2.', name, took)
    };
  }
  return run.status === 'Failed'
    ? {
        type: 'error',
        text: trans.__('%1 failed: %2', name, failure(run, trans))
      }
    : { type: 'info', text: trans.__('%1 was canceled.', name) };
}

/** The error's first line, which names the cell, after the exception's class. */
function failure(run: Run, trans: TranslationBundle): string {
  const { error } = run;
  if (!error) {
    return statusReason(run, trans);
  }
  const [line = ''] = error.message.split('\n');
  return error.kind && !line.startsWith(error.kind)
    ? `${error.kind}: ${line}`
    : line;
}
