import { refreshIcon } from '@jupyterlab/ui-components';

import { formatAbsoluteTime, formatClock } from '../lib/format';
import { errorSentence } from './errorText';
import { IconButton } from './IconButton';
import { useLocale, useTrans } from './trans';

export interface IStaleNoticeProps {
  /** Live updates do not arrive. */
  lost: boolean;
  /** What the last try to fetch failed with; null where it did not. */
  error: unknown;
  /** When what is shown was told by the server, in ms. */
  at: number;
  onRetry: () => void;
}

/** Says quietly that what is shown may be old by now; nothing while it is not. */
export function StaleNotice(props: IStaleNoticeProps): JSX.Element | null {
  const { lost, error, at, onRetry } = props;
  const trans = useTrans();
  const locale = useLocale();
  const failed = error !== null && error !== undefined;
  if (!lost && !failed) {
    return null;
  }
  const clock = formatClock(at, Date.now(), locale);
  const reason = failed
    ? errorSentence(error, trans)
    : trans.__('Live updates do not arrive; the page looks again by itself.');
  return (
    <span className="jp-mlws-stale" role="status">
      <span
        title={`${reason}\n${trans.__('As of %1', formatAbsoluteTime(at, locale))}`}
      >
        {failed
          ? trans.__('Not connected, as of %1', clock)
          : trans.__('No live updates, as of %1', clock)}
      </span>
      <IconButton
        icon={refreshIcon}
        label={trans.__('Try again')}
        onClick={onRetry}
      />
    </span>
  );
}
