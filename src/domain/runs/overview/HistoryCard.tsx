import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import {
  ErrorNotice,
  RelativeTime,
  Skeleton,
  StatusBadge,
  useTrans
} from '../../../ui';
import { endReason } from '../format';
import { runQueries } from '../queries';
import { Card } from './Card';

/** Each status the run had, when, and who or what made it so. */
export function HistoryCard(props: { runId: string }): JSX.Element {
  const trans = useTrans();
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
            <RelativeTime className="jp-mlws-muted" at={change.at} />
          </li>
        ))}
      </ol>
    </Card>
  );
}
