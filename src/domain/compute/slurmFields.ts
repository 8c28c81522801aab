import type { TranslationBundle } from '@jupyterlab/translation';

import { readSpan, spanText } from '../../lib/span';
import type { ITargetField } from './fields';
import { rulesOf } from './rules';
import type { BatchCreate, ComputeTarget } from './types';

/** Where Slurm is, and what it is asked for with each job. */
export function slurmFields(
  target: ComputeTarget | null,
  trans: TranslationBundle
): ITargetField<keyof BatchCreate>[] {
  const place = target?.slurm;
  const { slurm, span } = rulesOf(trans);
  const none = trans.__('Slurm’s own');
  return [
    {
      name: 'via',
      label: trans.__('Submits from'),
      control: 'sshTarget',
      now: place?.via ?? ''
    },
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
    {
      name: 'time_limit_s',
      label: trans.__('Time limit'),
      help: trans.__('For jobs without one: 30m, 2h. Rounded up to minutes.'),
      placeholder: trans.__('the partition’s'),
      now: spanText(place?.time_limit_s ?? null),
      problem: span(60, trans.__('A span from one minute on: 30m, 2h.')),
      read: readSpan
    },
    ...seldom(place, trans)
  ];
}

/** What has a good default. */
function seldom(
  place: ComputeTarget['slurm'] | undefined,
  trans: TranslationBundle
): ITargetField<keyof BatchCreate>[] {
  const { program, url } = rulesOf(trans);
  return [
    {
      name: 'python',
      label: trans.__('Python on the nodes'),
      help: trans.__('3.8 or newer; it starts each job there.'),
      placeholder: trans.__('as where sbatch is'),
      now: place?.python,
      required: Boolean(place),
      seldom: true,
      problem: program
    },
    {
      name: 'server_url',
      label: trans.__('Address of this server, from there'),
      help: trans.__('If it is given, jobs log to it by themselves.'),
      placeholder: trans.__('none: logs are fetched'),
      now: place?.server_url ?? '',
      seldom: true,
      problem: url
    }
  ];
}
