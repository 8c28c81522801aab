import type { TranslationBundle } from '@jupyterlab/translation';

import type { Secret } from './queries';

/** Which jobs name a secret, as words. */
export function usesText(
  { jobs, waiting }: Pick<Secret, 'jobs' | 'waiting'>,
  trans: TranslationBundle
): string {
  if (jobs === 0) {
    return trans.__('no job yet');
  }
  const all = trans._n('%1 job', '%1 jobs', jobs);
  return waiting.length > 0
    ? trans.__('%1, %2 of them not ended', all, String(waiting.length))
    : all;
}

/** What deleting a secret means for the jobs that name it. */
export function deletionText(
  { name, waiting }: Pick<Secret, 'name' | 'waiting'>,
  trans: TranslationBundle
): string {
  const gone = trans.__(
    'The secret “%1” is deleted. Nothing brings its value back.',
    name
  );
  return waiting.length > 0
    ? `${gone} ${trans._n(
        '%1 job that waits or runs names it: if it has not begun it will fail.',
        '%1 jobs that wait or run name it: those that have not begun will fail.',
        waiting.length
      )}`
    : gone;
}
