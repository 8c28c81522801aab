import { useState } from 'react';

import { EmptyState, ErrorNotice, useTrans } from '../../../ui';
import { metersOf } from '../format';
import { useUpdateTarget } from '../mutations';
import type { ComputeTarget } from '../types';
import { LimitsForm } from './LimitsForm';
import { LiveRow } from './LiveRow';
import { Meter } from './Meter';
import { QueueRow } from './QueueRow';

/** One target: how full it is, what runs, and what waits for what. */
export function TargetSection(props: {
  target: ComputeTarget;
  answeredAt: number;
}): JSX.Element {
  const { target, answeredAt } = props;
  const trans = useTrans();
  const [editing, setEditing] = useState(false);
  const usable = target.state !== 'unavailable';
  return (
    <section className="jp-mlws-target" aria-label={target.name}>
      <header className="jp-mlws-target-head">
        <h3 className="jp-mlws-ellipsis" title={target.name}>
          {target.name}
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
      {target.state !== 'ready' && (
        <p className="jp-mlws-target-note" role="status">
          {target.detail || trans.__('It does not take jobs now.')}
        </p>
      )}
      {usable && (
        <>
          <div className="jp-mlws-meters">
            {metersOf(target, trans).map(meter => (
              <Meter key={meter.id} meter={meter} />
            ))}
          </div>
          {target.spares > 0 && (
            <p className="jp-mlws-muted jp-mlws-target-none">
              {trans._n(
                '%1 kernel is ready for the next notebook',
                '%1 kernels are ready for the next notebooks',
                target.spares
              )}
            </p>
          )}
          <Verbs
            target={target}
            editing={editing}
            onEdit={() => setEditing(!editing)}
          />
          {editing && (
            <LimitsForm target={target} onClose={() => setEditing(false)} />
          )}
        </>
      )}
      <Jobs target={target} answeredAt={answeredAt} />
    </section>
  );
}

function Verbs(props: {
  target: ComputeTarget;
  editing: boolean;
  onEdit: () => void;
}): JSX.Element {
  const { target, editing, onEdit } = props;
  const trans = useTrans();
  const update = useUpdateTarget(target.name);
  return (
    <>
      {target.paused && (
        <p className="jp-mlws-target-note" role="status">
          {trans.__(
            'The queue is paused: no job starts. Those that run go on.'
          )}
        </p>
      )}
      <div className="jp-mlws-target-verbs">
        <button
          type="button"
          className={`jp-mlws-button jp-mlws-button-small${target.paused ? ' jp-mlws-button-primary' : ''}`}
          disabled={update.isPending}
          onClick={() => update.mutate({ paused: !target.paused })}
        >
          {target.paused
            ? trans.__('Resume the queue')
            : trans.__('Pause the queue')}
        </button>
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          aria-expanded={editing}
          onClick={onEdit}
        >
          {trans.__('Limits…')}
        </button>
      </div>
      {update.error && <ErrorNotice error={update.error} />}
    </>
  );
}

function Jobs(props: {
  target: ComputeTarget;
  answeredAt: number;
}): JSX.Element {
  const { target, answeredAt } = props;
  const { live, queue } = target;
  const trans = useTrans();
  const shown = queue.filter(job => job.position !== null).length;
  if (live.length + queue.length + target.running + target.queued === 0) {
    return (
      <EmptyState
        text={trans.__(
          'Nothing runs or waits here. A job that you submit does.'
        )}
        code={
          target.kinds === null || target.kinds.includes('notebook')
            ? `mlws job create --notebook train.ipynb --target ${target.name}`
            : `mlws job create --command "python3 train.py" --target ${target.name}`
        }
      />
    );
  }
  return (
    <>
      <h4>{trans.__('Running (%1)', target.running)}</h4>
      <ul className="jp-mlws-plain-list">
        {live.map(job => (
          <LiveRow key={job.run_id} job={job} answeredAt={answeredAt} />
        ))}
      </ul>
      {target.running > live.length && (
        <Others count={target.running - live.length} />
      )}
      <h4>{trans.__('Queue (%1)', target.queued)}</h4>
      {queue.length === 0 && target.queued === 0 && (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {trans.__('No job waits.')}
        </p>
      )}
      <ol className="jp-mlws-plain-list">
        {queue.map(job => (
          <QueueRow key={job.run_id} job={job} answeredAt={answeredAt} />
        ))}
      </ol>
      {target.queued > shown && <Others count={target.queued - shown} />}
    </>
  );
}

/** Jobs that are not listed: there are many, or they are another workspace's. */
function Others(props: { count: number }): JSX.Element {
  const trans = useTrans();
  return (
    <p className="jp-mlws-muted jp-mlws-target-none">
      {trans._n('… %1 more', '… %1 more', props.count)}
    </p>
  );
}
