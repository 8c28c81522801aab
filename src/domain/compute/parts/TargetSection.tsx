import { useState } from 'react';

import { computeAddress } from '../../../lib/address';
import { PageLink, useFocusBack, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import type { ComputeTarget } from '../types';
import { LimitsForm } from './LimitsForm';
import { Meters, ReadyKernels } from './Meters';
import { QueueVerbs } from './QueueVerbs';
import { TargetJobs } from './TargetJobs';

/** One target: how full it is, what runs, and what waits for what. */
export function TargetSection(props: {
  target: ComputeTarget;
  answeredAt: number;
  /** No other target stands beside it: there is room to teach. */
  alone: boolean;
}): JSX.Element {
  const { target, answeredAt, alone } = props;
  const trans = useTrans();
  const [editing, setEditing] = useState(false);
  const [limitsButton, backToLimits] = useFocusBack<HTMLButtonElement>();
  const close = (): void => {
    backToLimits();
    setEditing(false);
  };
  const address = computeAddress(target.name);
  const via = batchOf(target)?.place.via;
  const usable = target.state !== 'unavailable';
  return (
    <section className="jp-mlws-target" aria-label={target.name}>
      <header className="jp-mlws-target-head">
        <h3 className="jp-mlws-ellipsis" title={target.name}>
          {address ? (
            <PageLink address={address} title={target.name}>
              {target.name}
            </PageLink>
          ) : (
            target.name
          )}
        </h3>
        <span className="jp-mlws-muted jp-mlws-ellipsis">
          {target.description || target.kind}
        </span>
      </header>
      {target.ssh && (
        <p className="jp-mlws-target-none jp-mlws-muted">
          {trans.__(
            '%1@%2, port %3',
            target.ssh.user,
            target.ssh.host,
            target.ssh.port
          )}
        </p>
      )}
      {target.gateway && (
        <p
          className="jp-mlws-target-none jp-mlws-muted jp-mlws-ellipsis"
          title={target.gateway.url}
        >
          {target.gateway.url}
        </p>
      )}
      {via && (
        <p className="jp-mlws-target-none jp-mlws-muted">
          {trans.__('via %1', via)}
        </p>
      )}
      {target.state !== 'ready' && (
        <p className="jp-mlws-target-note" role="status">
          {target.detail || trans.__('It does not take jobs now.')}
        </p>
      )}
      {usable && (
        <>
          <Meters target={target} />
          <ReadyKernels target={target} />
          <QueueVerbs
            target={target}
            editing={editing}
            editRef={limitsButton}
            onEdit={() => setEditing(!editing)}
          />
          {editing && <LimitsForm target={target} onClose={close} />}
        </>
      )}
      <TargetJobs target={target} answeredAt={answeredAt} brief={!alone} />
    </section>
  );
}
