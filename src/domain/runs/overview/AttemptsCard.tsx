import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { formatDuration } from '../../../lib/format';
import { RelativeTime, StatusBadge, useTrans } from '../../../ui';
import { endReason } from '../format';
import { runQueries } from '../queries';
import type { Run } from '../types';
import { Card } from './Card';

/** The attempts of a job that was tried more than once: how each ended, and why. */
export function AttemptsCard(props: {
  run: Run;
  onShowLog: () => void;
}): JSX.Element | null {
  const { run, onShowLog } = props;
  const trans = useTrans();
  const job = useQuery({
    ...runQueries.job(useApi(), run.id),
    enabled: run.kind !== 'interactive'
  }).data;
  if (!job || (job.attempts.length < 2 && job.attempt < 2)) {
    return null;
  }
  return (
    <Card
      title={trans.__('Attempts')}
      actions={
        <button type="button" className="jp-mlws-link" onClick={onShowLog}>
          {trans.__('Logs')}
        </button>
      }
    >
      <ol className="jp-mlws-plain-list">
        {job.attempts.map(one => (
          <li key={one.attempt}>
            <div className="jp-mlws-line">
              <span>{one.attempt}</span>
              <StatusBadge
                status={one.status}
                reason={endReason(one.reason, trans)}
              />
              {one.started_at !== null && one.ended_at !== null && (
                <span className="jp-mlws-muted">
                  {formatDuration(one.ended_at - one.started_at)}
                </span>
              )}
              {one.started_at !== null && (
                <RelativeTime className="jp-mlws-muted" at={one.started_at} />
              )}
            </div>
            {one.error && (
              <div
                className="jp-mlws-muted jp-mlws-ellipsis"
                title={one.error.message}
              >
                {one.error.message}
              </div>
            )}
          </li>
        ))}
      </ol>
      <p className="jp-mlws-muted">
        {trans.__(
          '%1 of %2 retries used. What earlier attempts logged stays; their files stand in attempts/ among the outputs.',
          job.attempt - 1,
          job.max_retries
        )}
      </p>
    </Card>
  );
}
