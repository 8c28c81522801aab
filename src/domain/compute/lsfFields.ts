import type { TranslationBundle } from '@jupyterlab/translation';

import {
  nodeFields,
  queueField,
  timeLimitField,
  viaField
} from './batchFields';
import type { ITargetField } from './fields';
import { rulesOf } from './rules';
import type { ComputeTarget, LsfCreate } from './types';

/** Where LSF is, and what it is asked for with each job. */
export function lsfFields(
  target: ComputeTarget | null,
  trans: TranslationBundle
): ITargetField<keyof LsfCreate>[] {
  const place = target?.lsf;
  const { queue } = rulesOf(trans);
  const none = trans.__('LSF’s own');
  return [
    viaField(place, 'bsub', trans),
    queueField(place, none, trans),
    {
      name: 'project',
      label: trans.__('Project'),
      help: trans.__('What jobs count against (-P).'),
      placeholder: none,
      columns: 2,
      now: place?.project ?? '',
      problem: queue
    },
    timeLimitField(place, trans.__('the queue’s'), trans),
    {
      name: 'user_group',
      label: trans.__('User group'),
      help: trans.__('Whose share of LSF jobs use (-G).'),
      placeholder: none,
      seldom: true,
      now: place?.user_group ?? '',
      problem: queue
    },
    {
      name: 'application',
      label: trans.__('Application profile'),
      help: trans.__('What LSF has for jobs of a kind (-app).'),
      placeholder: none,
      seldom: true,
      now: place?.application ?? '',
      problem: queue
    },
    ...nodeFields(place, trans.__('as where bsub is'), trans)
  ];
}
