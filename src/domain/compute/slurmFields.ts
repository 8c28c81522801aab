import type { TranslationBundle } from '@jupyterlab/translation';

import { nodeFields, timeLimitField, viaField } from './batchFields';
import type { ITargetField } from './fields';
import { rulesOf } from './rules';
import type { SlurmCreate, ComputeTarget } from './types';

/** Where Slurm is, and what it is asked for with each job. */
export function slurmFields(
  target: ComputeTarget | null,
  trans: TranslationBundle
): ITargetField<keyof SlurmCreate>[] {
  const place = target?.slurm;
  const { slurm } = rulesOf(trans);
  const none = trans.__('Slurm’s own');
  return [
    viaField(place, 'sbatch', trans),
    {
      name: 'partition',
      label: trans.__('Partition'),
      help: trans.__('The queue that jobs go to.'),
      placeholder: none,
      columns: 2,
      now: place?.partition ?? '',
      problem: slurm
    },
    {
      name: 'account',
      label: trans.__('Account'),
      help: trans.__('What jobs count against.'),
      placeholder: none,
      columns: 2,
      now: place?.account ?? '',
      problem: slurm
    },
    {
      name: 'qos',
      label: trans.__('QoS'),
      help: trans.__('Quality of service.'),
      placeholder: none,
      columns: 2,
      now: place?.qos ?? '',
      problem: slurm
    },
    {
      name: 'reservation',
      label: trans.__('Reservation'),
      help: trans.__('Nodes that are kept for you.'),
      placeholder: trans.__('none'),
      columns: 2,
      now: place?.reservation ?? '',
      problem: slurm
    },
    timeLimitField(place, trans.__('the partition’s'), trans),
    ...nodeFields(place, trans.__('as where sbatch is'), trans)
  ];
}
