import { EmptyState, useTrans } from '../../../ui';
import type { ComputeTarget } from '../types';
import { LiveRow } from './LiveRow';
import { QueueRow } from './QueueRow';

/** What runs on a target, and what waits for what. */
export function TargetJobs(props: {
  target: ComputeTarget;
  answeredAt: number;
  /** Says so in one line where nothing does: in a list of targets. */
  brief?: boolean;
}): JSX.Element {
  const { target, answeredAt, brief } = props;
  const { live, queue } = target;
  const trans = useTrans();
  const shown = queue.filter(job => job.position !== null).length;
  if (live.length + queue.length + target.running + target.queued === 0) {
    return brief ? (
      <p className="jp-mlws-muted jp-mlws-target-none">
        {trans.__('Nothing runs or waits here.')}
      </p>
    ) : (
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
