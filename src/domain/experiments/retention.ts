/** Rules of clean-up as words. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { formatBytes } from '../../lib/format';
import type { RetentionPlan, RetentionState } from './types';

/** What counts while the experiment has no rule of its own. */
export function ruleText(
  { rule, inherited }: RetentionState,
  trans: TranslationBundle
): string {
  return inherited && rule
    ? trans.__('The rule of the workspace counts here until you save another.')
    : trans.__('No run goes by itself.');
}

/** What a rule would do now. */
export function planText(
  plan: RetentionPlan,
  trans: TranslationBundle
): string {
  const spared = Object.values(plan.spared).reduce((sum, n) => sum + n, 0);
  const kept = spared
    ? ' ' +
      trans._n(
        '%1 older run is spared: it runs, is the best, is marked to be kept, or its model is registered.',
        '%1 older runs are spared: they run, are the best, are marked to be kept, or their models are registered.',
        spared
      )
    : '';
  if (plan.runs === 0) {
    return trans.__('Nothing would go now.') + kept;
  }
  const what =
    plan.what === 'runs'
      ? trans._n(
          'Now %1 run would go to the bin; %2 become free once it is emptied.',
          'Now %1 runs would go to the bin; %2 become free once it is emptied.',
          plan.runs,
          formatBytes(plan.bytes_freed)
        )
      : trans._n(
          'Now the files of %1 run would go for ever; %2 become free.',
          'Now the files of %1 runs would go for ever; %2 become free.',
          plan.runs,
          formatBytes(plan.bytes_freed)
        );
  return what + kept;
}
