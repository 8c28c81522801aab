import { useInfiniteQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { formatDuration } from '../../../lib/format';
import { ErrorNotice, Skeleton, StatusBadge, useTrans } from '../../../ui';
import { statusReason } from '../format';
import { runQueries } from '../queries';
import { RunLink } from '../RunLink';
import type { Run } from '../types';
import { Card } from './Card';

/** The runs below this one. */
export function ChildrenCard(props: { run: Run }): JSX.Element | null {
  const { run } = props;
  const trans = useTrans();
  const children = useInfiniteQuery({
    ...runQueries.children(useApi(), run.workspace, run.id),
    enabled: run.children > 0
  });
  if (run.children === 0) {
    return null;
  }
  const shown = children.data?.pages.flatMap(page => page.runs) ?? [];
  return (
    <Card title={trans._n('%1 child run', '%1 child runs', run.children)}>
      {children.error && (
        <ErrorNotice
          error={children.error}
          onRetry={() => void children.refetch()}
        />
      )}
      {children.isPending && <Skeleton count={Math.min(run.children, 5)} />}
      <ul className="jp-mlws-plain-list">
        {shown.map(child => (
          <li key={child.id} className="jp-mlws-line">
            <StatusBadge
              status={child.status}
              reason={statusReason(child, trans)}
            />
            <RunLink run={child} />
            <span className="jp-mlws-number">
              {formatDuration(child.duration_ms)}
            </span>
          </li>
        ))}
      </ul>
      {children.hasNextPage && (
        <button
          type="button"
          className="jp-mlws-link"
          disabled={children.isFetchingNextPage}
          onClick={() => void children.fetchNextPage()}
        >
          {trans.__('… %1 more', Math.max(1, run.children - shown.length))}
        </button>
      )}
    </Card>
  );
}
