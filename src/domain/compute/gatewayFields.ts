import type { TranslationBundle } from '@jupyterlab/translation';

import { readSize, sizeText } from '../../lib/size';
import { readSpan, spanText } from '../../lib/span';
import type { ITargetField } from './fields';
import { isUnencrypted, rulesOf } from './rules';
import { NEW_SECRET, readChoice, secretChoice } from './secretChoice';
import type { ComputeTarget, GatewayCreate } from './types';

const YES = 'yes';
const PATIENCE_S = 300;
const FETCH_LIMIT = 10_000_000_000;
const MB = 1_000_000;

/** Where another Jupyter server is, and how to get in. */
export function gatewayFields(
  target: ComputeTarget | null,
  trans: TranslationBundle
): ITargetField<keyof GatewayCreate>[] {
  const place = target?.gateway;
  const { url, kernel } = rulesOf(trans);
  const there = (target?.facts?.notebooks?.kernels ?? []).map(one => one.name);
  return [
    {
      name: 'url',
      label: trans.__('Address'),
      help: trans.__('With the base URL, as the browser shows it before /lab.'),
      placeholder: trans.__('https://hub.example/user/ada'),
      now: place?.url,
      required: true,
      problem: (text, { insecure }) =>
        url(text) ||
        (isUnencrypted(text) && insecure !== YES
          ? trans.__(
              'http:// to another machine is not encrypted: give its https:// address, or agree below.'
            )
          : '')
    },
    {
      name: 'insecure',
      label: trans.__('The network encrypts by itself, or I accept the risk'),
      help: trans.__(
        'The token, and all that runs, can be read by who listens on the way.'
      ),
      control: 'check',
      now: place?.insecure ? YES : '',
      shown: texts => isUnencrypted(texts['url'] ?? ''),
      read: text => text === YES,
      emptied: false
    },
    {
      name: 'token',
      label: trans.__('Token from'),
      control: 'token',
      now: place?.token ? secretChoice(place.token) : target ? '' : NEW_SECRET,
      read: readChoice
    },
    {
      name: 'kernel',
      label: trans.__('Kernel'),
      help:
        there.length > 0
          ? trans.__(
              'For notebooks whose own one is not there. There: %1.',
              there.join(', ')
            )
          : trans.__('For notebooks whose own one is not there.'),
      placeholder: trans.__('none: they are refused'),
      now: place?.kernel ?? '',
      problem: kernel
    },
    ...seldom(place, trans)
  ];
}

/** What has a good default. */
function seldom(
  place: ComputeTarget['gateway'] | undefined,
  trans: TranslationBundle
): ITargetField<keyof GatewayCreate>[] {
  const { kernelUser, path, span, url } = rulesOf(trans);
  return [
    {
      name: 'ca_file',
      label: trans.__('Certificates'),
      help: trans.__(
        'A file on this server’s machine that is trusted instead of the system’s. They are always checked.'
      ),
      placeholder: trans.__('the system’s'),
      now: place?.ca_file ?? '',
      seldom: true,
      problem: path
    },
    {
      name: 'kernel_user',
      label: trans.__('Starts kernels for'),
      help: trans.__(
        'A user, where it is an Enterprise Gateway (KERNEL_USERNAME).'
      ),
      placeholder: trans.__('whom it runs as itself'),
      now: place?.kernel_user ?? '',
      seldom: true,
      problem: kernelUser
    },
    {
      name: 'server_url',
      label: trans.__('Address of this server, from there'),
      help: trans.__(
        'If it is given, kernels log to it by themselves, and find MLflow.'
      ),
      placeholder: trans.__('none: logs are fetched'),
      now: place?.server_url ?? '',
      seldom: true,
      problem: url
    },
    {
      name: 'fetch_limit_bytes',
      label: trans.__('A job may bring'),
      help: trans.__(
        'What it prints, logs and stores comes to this machine; a job that brings more fails.'
      ),
      placeholder: sizeText(FETCH_LIMIT),
      now: sizeText(place?.fetch_limit_bytes ?? FETCH_LIMIT),
      seldom: true,
      problem: text =>
        (readSize(text) ?? 0) >= MB
          ? ''
          : trans.__('A size from 1 MB on: 500 MB, 10 GB.'),
      read: readSize,
      emptied: FETCH_LIMIT
    },
    {
      name: 'patience_s',
      label: trans.__('May be cut off for'),
      help: trans.__('After that a kernel is given up, and its job fails.'),
      placeholder: spanText(PATIENCE_S),
      now: spanText(place?.patience_s ?? PATIENCE_S),
      seldom: true,
      problem: span(1, trans.__('A span with its unit: 90s, 5m, 2h.')),
      read: readSpan,
      emptied: PATIENCE_S
    }
  ];
}
