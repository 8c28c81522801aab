import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { useApi } from '../../api/context';
import { formatNumber, formatNumberFull } from '../../lib/format';
import { colorFor } from '../../lib/runColor';
import {
  ErrorNotice,
  LineChart,
  Skeleton,
  useTrans,
  type ILineSeries
} from '../../ui';
import {
  metricQueries,
  type MetricSeries,
  type MetricSummary
} from './queries';
import { usageCharts, type IUsageChart } from './usage';

const POINTS = 1000;
const HEIGHT = 160;
/** A second curve beside that in the run's own colour; and a level, which is none of a run's. */
const SECOND = '#e07b39';
const LEVEL = '#888888';

export interface IUsageSectionProps {
  runId: string;
  startedAt: number | null;
  /** The metrics that tell of the job's processes. */
  metrics: readonly MetricSummary[];
  /** Bytes; null for none. */
  memoryLimit: number | null;
}

/** What the job's processes used of the machine, over its time; live. */
export function UsageSection(props: IUsageSectionProps): JSX.Element | null {
  const { runId, startedAt, metrics, memoryLimit } = props;
  const trans = useTrans();
  const [open, setOpen] = useState(true);
  const charts = useMemo(
    () => usageCharts(metrics, memoryLimit, trans),
    [metrics, memoryLimit, trans]
  );
  const keys = charts.flatMap(({ curves }) => curves.map(({ key }) => key));
  const series = useQuery({
    ...metricQueries.series(useApi(), runId, keys, POINTS),
    enabled: open && keys.length > 0
  });
  const byKey = useMemo(
    () => new Map((series.data ?? []).map(one => [one.key, one])),
    [series.data]
  );
  if (charts.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Usage')} className="jp-mlws-usage">
      <button
        type="button"
        className="jp-mlws-group-head"
        aria-expanded={open}
        title={trans.__('What all processes of the job used of the machine')}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden="true">{open ? '▾' : '▸'}</span>
        <span className="jp-mlws-ellipsis">{trans.__('Usage')}</span>
      </button>
      {open && series.error && !series.data && (
        <ErrorNotice
          title={trans.__('What the job used could not be loaded.')}
          error={series.error}
          onRetry={() => void series.refetch()}
        />
      )}
      {open && !series.error && !series.data && (
        <Skeleton shape="block" height={HEIGHT} />
      )}
      {open && series.data && (
        <div className="jp-mlws-metric-grid">
          {charts.map(chart => (
            <UsageChart
              key={chart.id}
              {...{ runId, startedAt, chart, byKey }}
            />
          ))}
        </div>
      )}
    </section>
  );
}

function UsageChart(props: {
  runId: string;
  startedAt: number | null;
  chart: IUsageChart;
  byKey: ReadonlyMap<string, MetricSeries>;
}): JSX.Element {
  const { runId, startedAt, chart, byKey } = props;
  const trans = useTrans();
  const series = useMemo(
    () => lines(chart, byKey, runId, startedAt, trans.__('Limit')),
    [chart, byKey, runId, startedAt, trans]
  );
  const first = series[0];
  const last = lastOf(first?.values);
  return (
    <div className="jp-mlws-metric">
      <div className="jp-mlws-metric-head">
        <span className="jp-mlws-chart-title">{chart.title}</span>
        <span className="jp-mlws-muted">
          {chart.limit === null
            ? chart.unit
            : trans.__('%1, limit %2', chart.unit, formatNumber(chart.limit))}
        </span>
        {chart.curves.length === 1 && (
          <span className="jp-mlws-number" title={formatNumberFull(last)}>
            {formatNumber(last)}
          </span>
        )}
      </div>
      <LineChart
        bare
        legend={chart.curves.length > 1}
        title={trans.__('%1, %2', chart.title, chart.unit)}
        series={series}
        height={HEIGHT}
        axis="relative"
        logScale={false}
      />
    </div>
  );
}

/** The curves of a chart, and the level of its limit from the first point to the last. */
function lines(
  chart: IUsageChart,
  byKey: ReadonlyMap<string, MetricSeries>,
  runId: string,
  startedAt: number | null,
  limitName: string
): ILineSeries[] {
  const startTime = startedAt ?? undefined;
  const found = chart.curves.flatMap(({ key, label, factor }, n) => {
    const curve = byKey.get(key);
    return curve
      ? {
          id: key,
          label,
          color:
            n === 0
              ? colorFor(runId)
              : n === 1
                ? SECOND
                : colorFor(`${runId}${n}`),
          steps: curve.steps,
          times: curve.times,
          values: curve.values.map(value =>
            value === null ? null : value * factor
          ),
          startTime
        }
      : [];
  });
  const times = found[0]?.times;
  if (chart.limit === null || !times || times.length === 0) {
    return found;
  }
  const ends = [times[0] ?? 0, times[times.length - 1] ?? 0];
  const level = {
    id: `${chart.id}-limit`,
    label: limitName,
    color: LEVEL,
    dash: [6, 4],
    steps: [0, 1],
    times: ends,
    values: [chart.limit, chart.limit],
    startTime
  };
  return [...found, level];
}

function lastOf(values: ArrayLike<number | null> | undefined): number | null {
  for (let n = (values?.length ?? 0) - 1; n >= 0; n -= 1) {
    const value = values?.[n] ?? null;
    if (value !== null) {
      return value;
    }
  }
  return null;
}
