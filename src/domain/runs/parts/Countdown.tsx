import { formatDuration } from '../../../lib/format';
import { useTrans } from '../../../ui';
import { useLiveNow } from '../useNow';

/** "in 12 s": when a job goes on by itself; nothing where that is not known. */
export function Countdown(props: {
  until: number | null;
  answeredAt: number;
}): JSX.Element | null {
  const { until, answeredAt } = props;
  const trans = useTrans();
  const now = useLiveNow(until !== null, answeredAt);
  if (until === null) {
    return null;
  }
  // Rounded up: it is not 0 s before it is over.
  const left = Math.max(0, Math.ceil((until - now) / 1000) * 1000);
  return (
    <span
      className="jp-mlws-duration"
      title={new Date(until).toLocaleTimeString()}
    >
      {left > 0
        ? trans.__('In %1.', formatDuration(left))
        : trans.__('In a moment.')}
    </span>
  );
}
