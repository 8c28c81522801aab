import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import {
  formatDuration,
  formatNumber,
  formatNumberFull
} from '../../../lib/format';
import { StatusBadge, useTrans } from '../../../ui';
import { metricQueries, Sparkline } from '../../metrics';
import {
  hasEnded,
  isWaiting,
  liveDuration,
  useLiveNow,
  type Run
} from '../../runs';
import { lastValue, shortFailure, shownMetric } from '../format';
import { useSidebarHost } from '../host';
import { useRenameRun } from '../mutations';
import type { TreeRow } from '../rows';
import type { Experiment } from '../types';
import { useFreshHead } from '../useFreshHead';
import { NameInput } from './NameInput';

const POINTS = 32;

type RunTreeRow = Extract<TreeRow, { kind: 'run' }>;

/** A run: its status, its name, and the one thing to know about it now. */
export function RunRow(props: {
  row: RunTreeRow;
  editing: boolean;
}): JSX.Element {
  const { row, editing } = props;
  const { run } = row;
  const trans = useTrans();
  return (
    <>
      <span className="jp-mlws-tree-status">
        <StatusBadge status={run.status} />
      </span>
      {editing ? (
        <RunName run={run} />
      ) : (
        <span className="jp-mlws-tree-name jp-mlws-ellipsis">{run.name}</span>
      )}
      {run.status === 'Failed' ? (
        <span className="jp-mlws-tree-reason jp-mlws-ellipsis">
          {shortFailure(run, trans)}
        </span>
      ) : isWaiting(run) ? (
        <span className="jp-mlws-tree-duration">
          {run.waiting?.position &&
            trans.__('no. %1 in the queue', run.waiting.position)}
        </span>
      ) : (
        <Measures row={row} />
      )}
    </>
  );
}

function RunName(props: { run: Run }): JSX.Element {
  const { run } = props;
  const trans = useTrans();
  const { model } = useSidebarHost();
  const rename = useRenameRun(run.id);
  return (
    <NameInput
      name={run.name}
      label={trans.__('New name of the run %1', run.name)}
      save={rename.mutateAsync}
      onDone={() => model.edit(null)}
    />
  );
}

/** Duration, then the curve while it runs, or the last value once it has ended. */
function Measures(props: { row: RunTreeRow }): JSX.Element {
  const { run, experiment, answeredAt } = props.row;
  const live = !hasEnded(run);
  const now = useLiveNow(live, answeredAt);
  const metric = shownMetric(run, experiment);
  const value = lastValue(run, metric);
  return (
    <>
      <span className="jp-mlws-number jp-mlws-tree-duration">
        {formatDuration(liveDuration(run, answeredAt, now))}
      </span>
      {live && metric !== null ? (
        <LiveCurve run={run} metric={metric} />
      ) : (
        <span
          className="jp-mlws-number jp-mlws-tree-value"
          title={
            value === null ? undefined : `${metric}: ${formatNumberFull(value)}`
          }
        >
          {value === null ? '' : formatNumber(value)}
        </span>
      )}
      {experiment?.goal && <Star experiment={experiment} runId={run.id} />}
    </>
  );
}

/** Its place is kept in the other rows, so that values stand below each other. */
function Star(props: { experiment: Experiment; runId: string }): JSX.Element {
  const trans = useTrans();
  const { best } = useFreshHead(props.experiment);
  const label = trans.__('Best run');
  return (
    <span className="jp-mlws-tree-star">
      {best?.run_id === props.runId && (
        <span role="img" aria-label={label} title={label}>
          ★
        </span>
      )}
    </span>
  );
}

function LiveCurve(props: { run: Run; metric: string }): JSX.Element {
  const { run, metric } = props;
  const trans = useTrans();
  const { data } = useQuery(
    metricQueries.series(useApi(), run.id, [metric], POINTS)
  );
  const values = data?.[0]?.values ?? [];
  const last = values[values.length - 1] ?? null;
  return (
    <span
      className="jp-mlws-tree-curve"
      title={last === null ? metric : `${metric}: ${formatNumberFull(last)}`}
    >
      <Sparkline values={values} />
      <span className="jp-mlws-sr-only">
        {trans.__('%1 is %2', metric, formatNumber(last))}
      </span>
    </span>
  );
}
