import { useRef, type ReactNode } from 'react';

import { useTrans } from '../../../ui';
import { hasEnded, isWaiting } from '../format';
import type { Run } from '../types';
import { Countdown } from './Countdown';

/**
 * "cell 7 of 12 ▓▓▓░░ Train" while it runs; why it waits while it waits. Once the line was seen it stays
 * until the page is closed: what stands below must not jump when the run ends.
 */
export function Progress(props: {
  run: Run;
  /** When the server told. */
  answeredAt: number;
}): JSX.Element | null {
  const { run, answeredAt } = props;
  const trans = useTrans();
  const seen = useRef(false);
  const ended = hasEnded(run);
  seen.current ||= !ended && (run.kind === 'notebook' || isWaiting(run));
  if (!seen.current) {
    return null;
  }
  const { progress, waiting } = run;
  if (isWaiting(run) && waiting) {
    return (
      <Line>
        <span className="jp-mlws-ellipsis" title={waiting.reason}>
          {trans.__('Waits: %1', waiting.reason)}
        </span>
        <Countdown until={waiting.until} answeredAt={answeredAt} />
        {waiting.position !== null && (
          <span className="jp-mlws-muted">
            {trans.__('place %1 in the queue', waiting.position)}
          </span>
        )}
      </Line>
    );
  }
  if (progress) {
    return <Bar progress={progress} ended={ended} />;
  }
  return (
    <Line>
      {ended
        ? trans.__('It has ended.')
        : isWaiting(run)
          ? trans.__('It is about to start.')
          : trans.__('It has started.')}
    </Line>
  );
}

function Line(props: { children: ReactNode }): JSX.Element {
  return (
    <div className="jp-mlws-progress" role="status">
      {props.children}
    </div>
  );
}

function Bar(props: {
  progress: NonNullable<Run['progress']>;
  ended: boolean;
}): JSX.Element {
  const { progress, ended } = props;
  const { done, total, label } = progress;
  const trans = useTrans();
  const words = ended
    ? trans.__('%1 of %2 cells ran', done, total)
    : trans.__('Cell %1 of %2', Math.min(total, done + 1), total);
  return (
    <div className="jp-mlws-progress">
      <span>{words}</span>
      <progress max={total || 1} value={done} aria-label={words} />
      {!ended && (
        <span className="jp-mlws-ellipsis" title={label}>
          {label}
        </span>
      )}
    </div>
  );
}
