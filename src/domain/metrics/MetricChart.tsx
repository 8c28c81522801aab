import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';

import { useApi } from '../../api/context';
import type { XAxis } from '../../lib/chartData';
import { formatNumber, formatNumberFull } from '../../lib/format';
import { toNumber } from '../../lib/metricValue';
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
import { useVisible } from './useVisible';

/** A chart has no more pixels than this has pairs. */
const POINTS = 1000;
const HEIGHT = 180;
/** The whole card: the curve, its head and its readout. */
const FRAME = HEIGHT + 48;

export interface IMetricChartProps {
  runId: string;
  /** Where relative time begins. */
  startedAt: number | null;
  metric: MetricSummary;
  axis: XAxis;
  logScale: boolean;
}

/** The curve of one metric. It is loaded, and kept up to date, only while it is in sight. */
export function MetricChart(props: IMetricChartProps): JSX.Element {
  const { runId, metric } = props;
  const [frame, visible] = useVisible<HTMLDivElement>();
  const seen = useRef(false);
  seen.current ||= visible;
  const series = useQuery({
    ...metricQueries.series(useApi(), runId, [metric.key], POINTS),
    enabled: visible
  });
  const curve = series.data?.[0];
  return (
    <div ref={frame} className="jp-mlws-metric" style={{ minHeight: FRAME }}>
      {series.error && !curve ? (
        <ErrorNotice
          title={metric.key}
          error={series.error}
          onRetry={() => void series.refetch()}
        />
      ) : curve && seen.current ? (
        <Curve {...props} curve={curve} />
      ) : (
        <Skeleton shape="block" height={FRAME} />
      )}
    </div>
  );
}

function Curve(
  props: IMetricChartProps & { curve: MetricSeries }
): JSX.Element {
  const { runId, startedAt, metric, axis, logScale, curve } = props;
  const trans = useTrans();
  const series = useMemo<ILineSeries[]>(
    () => [
      {
        id: runId,
        label: metric.key,
        steps: curve.steps,
        times: curve.times,
        values: curve.values,
        startTime: startedAt ?? undefined
      }
    ],
    [runId, metric.key, curve, startedAt]
  );
  const last = toNumber(metric.last);
  const facts = [
    curve.sampled ? trans.__('%1 points, sampled', curve.count) : '',
    curve.not_finite > 0 ? trans.__('%1 not finite', curve.not_finite) : ''
  ].filter(Boolean);
  return (
    <>
      <div className="jp-mlws-metric-head">
        <span className="jp-mlws-chart-title" title={metric.key}>
          {metric.key}
        </span>
        <span className="jp-mlws-muted">{facts.join(' · ')}</span>
        <span className="jp-mlws-number" title={formatNumberFull(last)}>
          {formatNumber(last)}
        </span>
      </div>
      <LineChart
        bare
        title={metric.key}
        series={series}
        height={HEIGHT}
        axis={axis}
        logScale={logScale}
      />
    </>
  );
}
