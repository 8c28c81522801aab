import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo, useState } from 'react';

import { useApi, useUrl } from '../../api/context';
import type { XAxis } from '../../lib/chartData';
import { EmptyState, ErrorNotice, Skeleton, useTrans } from '../../ui';
import { groupMetrics, splitMetrics, type IMetricGroup } from './grouping';
import { MetricChart } from './MetricChart';
import { metricQueries, type MetricSummary } from './queries';
import { isUsage } from './usage';
import { UsageSection } from './UsageSection';
import { ValueTiles } from './ValueTiles';

export interface IMetricsTabProps {
  runId: string;
  startedAt: number | null;
  /** What the run itself tells of its metrics: the curves need not wait for the list. */
  known: Readonly<Record<string, MetricSummary>>;
  /** Whether nothing more will come. */
  ended: boolean;
  /** Bytes of memory that the job may hold; null where there is no limit. */
  memoryLimit?: number | null;
}

/** All curves of a run, in groups by prefix, live. */
export function MetricsTab(props: IMetricsTabProps): JSX.Element {
  const { runId, startedAt, known, ended } = props;
  const trans = useTrans();
  const metrics = useQuery({
    ...metricQueries.list(useApi(), runId),
    placeholderData: () => {
      const metrics = Object.values(known);
      return metrics.length > 0 ? { metrics } : undefined;
    }
  });
  const [filter, setFilter] = useState('');
  const [axis, setAxis] = useState<XAxis>('step');
  const [logScale, setLogScale] = useState(false);
  const words = useDeferredValue(filter);
  const [byKey, usage] = useParted(metrics.data);
  const groups = useMemo(
    () => groupMetrics([...byKey.keys()], words),
    [byKey, words]
  );

  if (metrics.error && !metrics.data) {
    return (
      <ErrorNotice
        title={trans.__('The metrics could not be loaded.')}
        error={metrics.error}
        onRetry={() => void metrics.refetch()}
      />
    );
  }
  if (!metrics.data) {
    return <Skeleton shape="block" height={220} />;
  }
  const used = (
    <UsageSection
      {...{ runId, startedAt }}
      metrics={usage}
      memoryLimit={props.memoryLimit ?? null}
    />
  );
  if (byKey.size === 0) {
    return (
      <div className="jp-mlws-metrics">
        <NothingMeasured ended={ended} />
        {used}
      </div>
    );
  }
  return (
    <div className="jp-mlws-metrics">
      <MetricsToolbar
        runId={runId}
        filter={filter}
        onFilter={setFilter}
        axis={axis}
        onAxis={setAxis}
        logScale={logScale}
        onLogScale={setLogScale}
      />
      {groups.map(group => (
        <Group
          key={group.prefix}
          group={group}
          byKey={byKey}
          {...{ runId, startedAt, axis, logScale }}
        />
      ))}
      {groups.length === 0 && (
        <p className="jp-mlws-hint">{trans.__('No metric has such a name.')}</p>
      )}
      {used}
    </div>
  );
}

/** What was measured, by key; and what tells of the job's processes. */
function useParted(
  metrics: readonly MetricSummary[] | undefined
): [ReadonlyMap<string, MetricSummary>, readonly MetricSummary[]] {
  return useMemo(() => {
    const all = metrics ?? [];
    const measured = all.filter(({ key }) => !isUsage(key));
    return [
      new Map(measured.map(metric => [metric.key, metric])),
      all.filter(({ key }) => isUsage(key))
    ];
  }, [metrics]);
}

function NothingMeasured(props: { ended: boolean }): JSX.Element {
  const trans = useTrans();
  return (
    <EmptyState
      text={
        props.ended
          ? trans.__('Nothing was measured.')
          : trans.__(
              'Nothing is measured yet. Curves appear here as soon as the code logs a metric.'
            )
      }
      code="mlws.log_metric('loss', 0.5, step=1)"
    />
  );
}

function Group(props: {
  group: IMetricGroup;
  byKey: ReadonlyMap<string, MetricSummary>;
  runId: string;
  startedAt: number | null;
  axis: XAxis;
  logScale: boolean;
}): JSX.Element {
  const { group, byKey, ...chart } = props;
  const [open, setOpen] = useState(true);
  const { curves, values } = splitMetrics(group.keys, byKey);
  const charts = open && (
    <>
      {values.length > 0 && <ValueTiles metrics={values} />}
      {curves.length > 0 && (
        <div className="jp-mlws-metric-grid">
          {curves.map(metric => (
            <MetricChart key={metric.key} metric={metric} {...chart} />
          ))}
        </div>
      )}
    </>
  );
  return group.prefix === '' ? (
    <>{charts}</>
  ) : (
    <section aria-label={group.prefix}>
      <button
        type="button"
        className="jp-mlws-group-head"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden="true">{open ? '▾' : '▸'}</span>
        <span className="jp-mlws-ellipsis">{group.prefix}</span>
        <span className="jp-mlws-muted">{group.keys.length}</span>
      </button>
      {charts}
    </section>
  );
}

function MetricsToolbar(props: {
  runId: string;
  filter: string;
  onFilter: (filter: string) => void;
  axis: XAxis;
  onAxis: (axis: XAxis) => void;
  logScale: boolean;
  onLogScale: (on: boolean) => void;
}): JSX.Element {
  const { runId, filter, axis, logScale } = props;
  const trans = useTrans();
  const url = useUrl();
  return (
    <div className="jp-mlws-toolbar jp-mlws-sticky">
      <input
        type="search"
        className="jp-mlws-input jp-mlws-search"
        aria-label={trans.__('Filter metrics')}
        placeholder={trans.__('Filter metrics')}
        data-mlws-filter
        title={trans.__('Filter metrics (/)')}
        value={filter}
        onChange={event => props.onFilter(event.target.value)}
      />
      <select
        className="jp-mlws-chart-axis"
        aria-label={trans.__('X axis')}
        value={axis}
        onChange={event => props.onAxis(event.target.value as XAxis)}
      >
        <option value="step">{trans.__('Step')}</option>
        <option value="relative">{trans.__('Relative time')}</option>
        <option value="wall">{trans.__('Wall time')}</option>
      </select>
      <button
        type="button"
        className="jp-mlws-toggle"
        aria-pressed={logScale}
        title={trans.__('Logarithmic scale')}
        onClick={() => props.onLogScale(!logScale)}
      >
        {trans.__('log')}
      </button>
      <a
        className="jp-mlws-button"
        href={url(`runs/${runId}/metrics/csv`)}
        download
        title={trans.__('Download every point of every metric as CSV')}
      >
        {trans.__('CSV')}
      </a>
    </div>
  );
}
