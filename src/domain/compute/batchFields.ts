/** What the forms of all batch systems ask for. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { readSpan, spanText } from '../../lib/span';
import type { BatchPlace } from './batch';
import type { ITargetField } from './fields';
import { rulesOf } from './rules';

/** Where its programs are: on this server's machine, or on the host of a target. */
export function viaField(
  place: BatchPlace | null | undefined,
  program: string,
  trans: TranslationBundle
): ITargetField<'via'> {
  return {
    name: 'via',
    label: trans.__('Submits from'),
    control: 'sshTarget',
    program,
    now: place?.via ?? ''
  };
}

/** The queue that jobs go to. */
export function queueField(
  place: { queue: string | null } | null | undefined,
  usual: string,
  trans: TranslationBundle
): ITargetField<'queue'> {
  return {
    name: 'queue',
    label: trans.__('Queue'),
    help: trans.__('The queue that jobs go to.'),
    placeholder: usual,
    columns: 2,
    now: place?.queue ?? '',
    problem: rulesOf(trans).queue
  };
}

/** How long a job may take that says nothing of that itself. */
export function timeLimitField(
  place: BatchPlace | null | undefined,
  usual: string,
  trans: TranslationBundle
): ITargetField<'time_limit_s'> {
  const { span } = rulesOf(trans);
  return {
    name: 'time_limit_s',
    label: trans.__('Time limit'),
    help: trans.__('For jobs without one: 30m, 2h. Rounded up to minutes.'),
    placeholder: usual,
    now: spanText(place?.time_limit_s ?? null),
    problem: span(60, trans.__('A span from one minute on: 30m, 2h.')),
    read: readSpan
  };
}

/** What the nodes have, which has a good default. */
export function nodeFields(
  place: BatchPlace | null | undefined,
  usual: string,
  trans: TranslationBundle
): ITargetField<'python' | 'server_url'>[] {
  const { program, url } = rulesOf(trans);
  return [
    {
      name: 'python',
      label: trans.__('Python on the nodes'),
      help: trans.__('3.8 or newer; it starts each job there.'),
      placeholder: usual,
      ...(place && { now: place.python }),
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
