import { useTrans } from '../../../ui';
import { isWaiting } from '../format';
import type { Run } from '../types';

/** "cell 7 of 12 ▓▓▓░░ Train" while it runs; why it waits while it waits. */
export function Progress(props: { run: Run }): JSX.Element | null {
  const { run } = props;
  return isWaiting(run) ? <Waiting run={run} /> : <Bar run={run} />;
}

function Waiting(props: { run: Run }): JSX.Element | null {
  const { waiting } = props.run;
  const trans = useTrans();
  return (
    waiting && (
      <div className="jp-mlws-progress" role="status">
        {trans.__('Waits: %1', waiting.reason)}
        {waiting.position > 0 && (
          <span className="jp-mlws-muted">
            {trans.__('place %1 in the queue', waiting.position)}
          </span>
        )}
      </div>
    )
  );
}

function Bar(props: { run: Run }): JSX.Element | null {
  const { progress, status } = props.run;
  const trans = useTrans();
  if (
    !progress ||
    !['Running', 'CancelRequested', 'Finalizing'].includes(status)
  ) {
    return null;
  }
  const { done, total, label } = progress;
  const current = Math.min(total, done + 1);
  const words = trans.__('Cell %1 of %2', current, total);
  return (
    <div className="jp-mlws-progress">
      <span>{words}</span>
      <progress max={total || 1} value={done} aria-label={words} />
      <span className="jp-mlws-ellipsis" title={label}>
        {label}
      </span>
    </div>
  );
}
