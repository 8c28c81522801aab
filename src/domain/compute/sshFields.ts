import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITargetField } from './fields';
import { rulesOf } from './rules';
import { readChoice, secretChoice } from './secretChoice';
import type { ComputeTarget, SshCreate } from './types';

/** Where a host is, how to get in, and what it has for jobs. */
export function sshFields(
  target: ComputeTarget | null,
  trans: TranslationBundle
): ITargetField<keyof SshCreate>[] {
  const place = target?.ssh;
  const { host, whole, login } = rulesOf(trans);
  return [
    {
      name: 'host',
      label: trans.__('Host'),
      help: trans.__('Its name or address.'),
      placeholder: trans.__('gpu1.lab.example'),
      columns: 3,
      now: place?.host,
      required: true,
      problem: host
    },
    {
      name: 'port',
      label: trans.__('Port'),
      columns: 1,
      now: String(place?.port ?? 22),
      problem: whole(1, 65535),
      read: Number,
      emptied: 22
    },
    {
      name: 'user',
      label: trans.__('User'),
      help: trans.__('Who logs in there.'),
      placeholder: target ? '' : trans.__('the server’s own'),
      now: place?.user,
      required: Boolean(target),
      problem: login
    },
    {
      name: 'key',
      label: trans.__('Private key'),
      control: 'privateKey',
      now: place?.key ? secretChoice(place.key) : '',
      read: readChoice
    },
    {
      name: 'host_key',
      label: trans.__('Key of the host'),
      control: 'hostKey'
    },
    ...seldom(place, trans)
  ];
}

/** What has a good default. */
function seldom(
  place: ComputeTarget['ssh'] | undefined,
  trans: TranslationBundle
): ITargetField<keyof SshCreate>[] {
  const { folder, path, program, url } = rulesOf(trans);
  return [
    {
      name: 'python',
      label: trans.__('Python there'),
      help: trans.__('3.8 or newer; for notebooks 3.10 with papermill.'),
      placeholder: trans.__('python3'),
      now: place?.python,
      seldom: true,
      problem: program,
      emptied: 'python3'
    },
    {
      name: 'folder',
      label: trans.__('Folder there'),
      help: trans.__('For jobs and their files.'),
      placeholder: trans.__('~/.mlws'),
      now: place?.folder,
      seldom: true,
      problem: folder,
      emptied: '~/.mlws'
    },
    {
      name: 'wheelhouse',
      label: trans.__('Wheels for notebooks'),
      help: trans.__(
        'A folder of this server’s machine with papermill and ipykernel, where the host has neither.'
      ),
      placeholder: trans.__('none'),
      now: place?.wheelhouse ?? '',
      seldom: true,
      problem: path
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
