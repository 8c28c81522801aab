import type { TranslationBundle } from '@jupyterlab/translation';

import { formatDuration } from '../../../lib/format';
import { sizeText } from '../../../lib/size';
import { CopyButton, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import { factsText, keyText, notebooksText, perUserText } from '../format';
import type { ComputeTarget } from '../types';

type Row = [string, JSX.Element | string];

/** What a target is: where it lies, how to get in, what is asked for, and what it said of itself. */
export function AboutCard(props: { target: ComputeTarget }): JSX.Element {
  const { target } = props;
  const trans = useTrans();
  const title = trans.__('About');
  const rows: Row[] = [
    [trans.__('Kind'), target.kind],
    [trans.__('What it is'), target.description],
    ...sshRows(target, trans),
    ...batchRows(target, trans),
    ...gatewayRows(target, trans),
    [
      trans.__('Machine'),
      target.facts && !target.gateway ? factsText(target.facts, trans) : ''
    ],
    [
      trans.__('Runs'),
      target.kinds?.join(', ') ?? trans.__('all kinds of jobs')
    ],
    [trans.__('One user'), perUserText(target.per_user, trans)]
  ];
  return (
    <section className="jp-mlws-card" aria-label={title}>
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
      </header>
      <dl className="jp-mlws-about jp-mlws-target-about">
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function sshRows(target: ComputeTarget, trans: TranslationBundle): Row[] {
  const { ssh, facts } = target;
  if (!ssh) {
    return [];
  }
  return [
    [
      trans.__('Host'),
      trans.__('%1@%2, port %3', ssh.user, ssh.host, ssh.port)
    ],
    [trans.__('Host key'), <Fingerprint key="" text={ssh.fingerprint} />],
    [trans.__('Logs in with'), keyText(ssh, trans)],
    [
      trans.__('Python'),
      facts ? `${ssh.python} (${facts.python})` : ssh.python
    ],
    [trans.__('Notebooks'), notebooksText(facts, trans)],
    [trans.__('Wheels'), ssh.wheelhouse ?? ''],
    [trans.__('Folder'), ssh.folder],
    [
      trans.__('Jobs log to'),
      ssh.server_url ?? trans.__('the host; it is fetched from there')
    ]
  ];
}

function batchRows(target: ComputeTarget, trans: TranslationBundle): Row[] {
  const { slurm, pbs, lsf, facts } = target;
  const batch = batchOf(target);
  if (!batch) {
    return [];
  }
  const { name, place } = batch;
  const logs = place.via
    ? trans.__('the login node; it is fetched from there')
    : trans.__('their folders; it is read from there');
  const limit = place.time_limit_s;
  const asked: Row[] = [
    [trans.__('Partition'), slurm?.partition ?? ''],
    [trans.__('Queue'), (pbs ?? lsf)?.queue ?? ''],
    [trans.__('Account'), (slurm ?? pbs)?.account ?? ''],
    [trans.__('Project'), (pbs ?? lsf)?.project ?? ''],
    [trans.__('User group'), lsf?.user_group ?? ''],
    [trans.__('Application profile'), lsf?.application ?? ''],
    [
      trans.__('Asks as'),
      pbs?.dialect
        ? { torque: 'Torque', pro: 'OpenPBS, PBS Pro' }[pbs.dialect]
        : ''
    ],
    [trans.__('Quality of service'), slurm?.qos ?? ''],
    [trans.__('Reservation'), slurm?.reservation ?? ''],
    [
      trans.__('Time limit'),
      limit === null
        ? ''
        : trans.__('%1 for jobs without one', formatDuration(limit * 1000))
    ]
  ];
  const none: Row = [
    trans.__('Asks for'),
    trans.__('what %1 gives by itself', name)
  ];
  return [
    ...(asked.some(([, value]) => value) ? asked : [none]),
    [trans.__('Submits via'), place.via ?? ''],
    [trans.__('Python'), place.python],
    [trans.__('Notebooks'), place.via ? notebooksText(facts, trans) : ''],
    [trans.__('Jobs log to'), place.server_url ?? logs]
  ];
}

function gatewayRows(target: ComputeTarget, trans: TranslationBundle): Row[] {
  const { gateway, facts } = target;
  if (!gateway) {
    return [];
  }
  return [
    [
      trans.__('Jupyter server'),
      gateway.insecure && gateway.url.startsWith('http:')
        ? trans.__('%1, over a network without encryption', gateway.url)
        : gateway.url
    ],
    [
      trans.__('Token'),
      gateway.token
        ? trans.__(
            'the secret %1 of %2',
            gateway.token.name,
            gateway.token.workspace
          )
        : trans.__('none is sent')
    ],
    [trans.__('Trusts'), gateway.ca_file ?? ''],
    [trans.__('Starts kernels for'), gateway.kernel_user ?? ''],
    [trans.__('Kernel'), gateway.kernel ?? trans.__('that of the notebook')],
    [trans.__('Notebooks'), notebooksText(facts, trans)],
    [trans.__('A job may bring'), sizeText(gateway.fetch_limit_bytes)],
    [trans.__('May be cut off for'), formatDuration(gateway.patience_s * 1000)],
    [
      trans.__('Jobs log to'),
      gateway.server_url ?? trans.__('their kernels; it is fetched from there')
    ]
  ];
}

function Fingerprint(props: { text: string }): JSX.Element {
  const trans = useTrans();
  return (
    <>
      <code className="jp-mlws-fingerprint">{props.text}</code>
      <CopyButton text={props.text} label={trans.__('Copy the fingerprint')} />
    </>
  );
}
