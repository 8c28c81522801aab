import type { TranslationBundle } from '@jupyterlab/translation';

import {
  nodeFields,
  queueField,
  timeLimitField,
  viaField
} from './batchFields';
import type { ITargetField } from './fields';
import { rulesOf } from './rules';
import type { ComputeTarget, PbsCreate } from './types';

/** Where PBS is, and what it is asked for with each job. */
export function pbsFields(
  target: ComputeTarget | null,
  trans: TranslationBundle
): ITargetField<keyof PbsCreate>[] {
  const place = target?.pbs;
  const { queue } = rulesOf(trans);
  const none = trans.__('PBS’s own');
  return [
    viaField(place, 'qsub', trans),
    queueField(place, none, trans),
    {
      name: 'account',
      label: trans.__('Account'),
      help: trans.__('What jobs count against.'),
      placeholder: none,
      columns: 2,
      now: place?.account ?? '',
      problem: queue
    },
    timeLimitField(place, trans.__('the queue’s'), trans),
    {
      name: 'dialect',
      label: trans.__('Asks for resources as'),
      control: 'choice',
      choices: [
        { value: '', label: trans.__('qstat --version tells') },
        { value: 'torque', label: trans.__('Torque: -l nodes=1:ppn=…') },
        {
          value: 'pro',
          label: trans.__('OpenPBS, PBS Pro: -l select=1:ncpus=…')
        }
      ],
      seldom: true,
      now: place?.dialect ?? ''
    },
    {
      name: 'project',
      label: trans.__('Project'),
      help: trans.__('Of PBS Pro (-P); Torque has none.'),
      placeholder: trans.__('none'),
      seldom: true,
      now: place?.project ?? '',
      problem: queue
    },
    ...nodeFields(place, trans.__('as where qsub is'), trans)
  ];
}
