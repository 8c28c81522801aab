import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { formatAbsoluteTime, formatRelativeTime } from '../../../lib/format';
import {
  ErrorNotice,
  Skeleton,
  StatusBadge,
  useLocale,
  useTrans
} from '../../../ui';
import { endReason } from '../format';
import { runQueries } from '../queries';
import { Card } from './Card';

/** Each status the run had, when, and who or what made it so. */
export function HistoryCard(props: { runId: string }): JSX.Element {
  const trans = useTrans();
  const locale = useLocale();
  const history = useQuery(runQueries.history(useApi(), props.runId));
  return (
    <Card title={trans.__('History')}>
      {history.error && (
        <ErrorNotice
          error={history.error}
          onRetry={() => void history.refetch()}
        />
      )}
      {history.isPending && <Skeleton shape="text" count={3} />}
      <ol className="jp-mlws-plain-list">
        {(history.data?.changes ?? []).map((change, i) => (
          <li key={i} className="jp-mlws-line">
            <StatusBadge
              status={change.status}
              reason={endReason(change.reason, trans)}
            />
            <span className="jp-mlws-muted jp-mlws-ellipsis">
              {change.actor}
            </span>
            <time
              className="jp-mlws-muted"
              dateTime={new Date(change.at).toISOString()}
              title={formatAbsoluteTime(change.at, locale)}
            >
              {formatRelativeTime(change.at, Date.now(), locale)}
            </time>
          </li>
        ))}
      </ol>
    </Card>
  );
}
