import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { useApi } from '../../../api/context';
import { formatNumber, formatNumberFull, shortId } from '../../../lib/format';
import { toNumber, type WireNumber } from '../../../lib/metricValue';
import { colorFor } from '../../../lib/runColor';
import { CsvButton, ErrorNotice, Skeleton, useTrans } from '../../../ui';
import {
  isUsage,
  metricQueries,
  Sparkline,
  type MetricSummary
} from '../../metrics';
import { hasEnded } from '../format';
import type { Run } from '../types';
import { Card } from './Card';

/** More have their place in the Metrics tab. */
const SHOWN = 30;
const POINTS = 32;

/** Each metric's last, least and greatest value, and its curve in small. */
export function MetricsCard(props: {
  run: Run;
  onShowAll: () => void;
}): JSX.Element {
  const { run, onShowAll } = props;
  const trans = useTrans();
  const metrics = useQuery(metricQueries.list(useApi(), run.id));
  const all = (metrics.data ?? []).filter(({ key }) => !isUsage(key));
  return (
    <Card
      title={trans.__('Metrics')}
      actions={
        all.length > 0 && (
          <>
            <button type="button" className="jp-mlws-link" onClick={onShowAll}>
              {trans._n('%1 curve', 'All %1 curves', all.length)}
            </button>
            <CsvButton
              label={trans.__('Download the metrics of this table as CSV')}
              file={`metrics-${shortId(run.id)}.csv`}
              columns={['metric', 'last', 'min', 'max', 'count']}
              rows={() =>
                all.map(({ key, last, min, max, count }) => [
                  key,
                  last,
                  min,
                  max,
                  count
                ])
              }
            />
          </>
        )
      }
    >
      {metrics.isPending && <Skeleton shape="text" count={4} />}
      {metrics.error && !metrics.data && (
        <ErrorNotice
          error={metrics.error}
          onRetry={() => void metrics.refetch()}
        />
      )}
      {metrics.data &&
        (all.length === 0 ? (
          <p className="jp-mlws-hint">
            {hasEnded(run)
              ? trans.__('Nothing was measured.')
              : trans.__('Nothing is measured yet.')}
          </p>
        ) : (
          <MetricsTable run={run} metrics={all.slice(0, SHOWN)} />
        ))}
    </Card>
  );
}

function MetricsTable(props: {
  run: Run;
  metrics: readonly MetricSummary[];
}): JSX.Element {
  const { run, metrics } = props;
  const trans = useTrans();
  const keys = useMemo(
    () => metrics.filter(({ count }) => count > 1).map(({ key }) => key),
    [metrics]
  );
  const series = useQuery({
    ...metricQueries.series(useApi(), run.id, keys, POINTS),
    enabled: keys.length > 0
  });
  const curves = new Map(
    (series.data ?? []).map(({ key, values }) => [key, values])
  );
  return (
    <table className="jp-mlws-facts jp-mlws-facts-metrics">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Last')}
          </th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Min')}
          </th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Max')}
          </th>
          <th scope="col">
            <span className="jp-mlws-sr-only">{trans.__('Curve')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {metrics.map(metric => (
          <tr key={metric.key}>
            <th scope="row" title={metric.key}>
              {metric.key}
            </th>
            <NumberCell value={metric.last} />
            <NumberCell value={metric.min} />
            <NumberCell value={metric.max} />
            <td className="jp-mlws-facts-curve">
              <Sparkline
                values={curves.get(metric.key) ?? []}
                color={colorFor(run.id)}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function NumberCell(props: { value: WireNumber }): JSX.Element {
  const value = toNumber(props.value);
  return (
    <td className="jp-mlws-number" title={formatNumberFull(value)}>
      {formatNumber(value)}
    </td>
  );
}
