import { CopyButton, useTrans } from '../../../ui';
import { factsText, keyText, perUserText } from '../format';
import type { ComputeTarget } from '../types';

/** What a target is: where it lies, how to get in, and what it said of itself. */
export function AboutCard(props: { target: ComputeTarget }): JSX.Element {
  const { target } = props;
  const { ssh, facts } = target;
  const trans = useTrans();
  const title = trans.__('About');
  const rows: [string, JSX.Element | string][] = [
    [trans.__('Kind'), target.kind],
    [trans.__('What it is'), target.description]
  ];
  if (ssh) {
    rows.push(
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
      [trans.__('Folder'), ssh.folder],
      [
        trans.__('Jobs log to'),
        ssh.server_url ?? trans.__('the host; it is fetched from there')
      ]
    );
  }
  if (facts) {
    rows.push([trans.__('Machine'), factsText(facts, trans)]);
  }
  rows.push(
    [
      trans.__('Runs'),
      target.kinds?.join(', ') ?? trans.__('all kinds of jobs')
    ],
    [trans.__('One user'), perUserText(target.per_user, trans)]
  );
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

function Fingerprint(props: { text: string }): JSX.Element {
  const trans = useTrans();
  return (
    <>
      <code className="jp-mlws-fingerprint">{props.text}</code>
      <CopyButton text={props.text} label={trans.__('Copy the fingerprint')} />
    </>
  );
}
