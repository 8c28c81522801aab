import { useQuery } from '@tanstack/react-query';

import { useApi, useLost } from '../../../api/context';
import { experimentAddress, workspaceAddress } from '../../../lib/address';
import {
  formatDuration,
  formatNumber,
  formatNumberFull
} from '../../../lib/format';
import {
  ErrorNotice,
  PageLink,
  StaleNotice,
  StatusBadge,
  useTrans
} from '../../../ui';
import { hasEnded, headMetrics, liveDuration, statusReason } from '../format';
import { useUpdateRun } from '../mutations';
import { runQueries } from '../queries';
import type { Run } from '../types';
import { useLiveNow } from '../useNow';
import { NameEditor } from './NameEditor';
import { RunActions, type IRunActionsProps } from './RunActions';

/** The last answer about the run, and what the last try to have a newer one failed with. */
export interface IAnswer {
  at: number;
  error: unknown;
  retry: () => void;
}

/** Where the run stands, its name, how it does, and what can be done with it. */
export function RunHeader(
  props: IRunActionsProps & { answer: IAnswer }
): JSX.Element {
  const { run, answer } = props;
  const trans = useTrans();
  const update = useUpdateRun(run.id);
  const experiment = useQuery(
    runQueries.experiment(useApi(), run.experiment_id)
  ).data;
  return (
    <header className="jp-mlws-run-header">
      <div className="jp-mlws-run-title">
        <nav
          className="jp-mlws-breadcrumb"
          aria-label={trans.__('Where this run belongs')}
        >
          <PageLink
            className="jp-mlws-ellipsis"
            address={workspaceAddress(run.workspace)}
            title={trans.__('Show the workspace %1', run.workspace)}
          >
            {run.workspace}
          </PageLink>
          <span aria-hidden="true">/</span>
          <PageLink
            className="jp-mlws-ellipsis"
            address={experimentAddress(run.experiment_id)}
            title={trans.__('Show the runs of %1', run.experiment_name)}
          >
            {run.experiment_name}
          </PageLink>
          <span aria-hidden="true">/</span>
        </nav>
        <NameEditor
          name={run.name}
          onRename={name => update.mutate({ name })}
        />
      </div>
      <RunActions {...props} />
      <div className="jp-mlws-run-facts">
        <StatusBadge
          status={run.status}
          reason={statusReason(run, trans) || undefined}
        />
        <Duration run={run} answeredAt={answer.at} />
        <StaleNotice
          lost={useLost()}
          error={answer.error}
          at={answer.at}
          onRetry={answer.retry}
        />
        {headMetrics(run.metrics, experiment?.goal).map(
          ({ key, value, best }) => (
            <span key={key} className="jp-mlws-head-metric">
              <span className="jp-mlws-muted jp-mlws-ellipsis" title={key}>
                {key}
              </span>
              <span title={formatNumberFull(value)}>{formatNumber(value)}</span>
              {best !== undefined && (
                <span
                  className="jp-mlws-head-best"
                  title={trans.__(
                    'Best value of this run: %1',
                    formatNumberFull(best)
                  )}
                >
                  ★ {formatNumber(best)}
                </span>
              )}
            </span>
          )
        )}
      </div>
      {update.error && <ErrorNotice error={update.error} />}
    </header>
  );
}

function Duration(props: { run: Run; answeredAt: number }): JSX.Element | null {
  const { run, answeredAt } = props;
  const trans = useTrans();
  const now = useLiveNow(run.started_at !== null && !hasEnded(run), answeredAt);
  const duration = liveDuration(run, answeredAt, now);
  return duration === null ? null : (
    <span className="jp-mlws-duration" title={trans.__('Duration')}>
      {formatDuration(duration)}
    </span>
  );
}
