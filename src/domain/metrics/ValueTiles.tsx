import { formatNumber, formatNumberFull } from '../../lib/format';
import { toNumber } from '../../lib/metricValue';
import { useTrans } from '../../ui';
import type { MetricSummary } from './queries';

/** Metrics that were logged once: a number says all, a curve of one point nothing. */
export function ValueTiles(props: {
  metrics: readonly MetricSummary[];
}): JSX.Element {
  const trans = useTrans();
  return (
    <ul className="jp-mlws-values" aria-label={trans.__('Single values')}>
      {props.metrics.map(({ key, last }) => (
        <li key={key} className="jp-mlws-value">
          <span className="jp-mlws-muted jp-mlws-ellipsis" title={key}>
            {key}
          </span>
          <span
            className="jp-mlws-value-number jp-mlws-number"
            title={formatNumberFull(toNumber(last))}
          >
            {formatNumber(toNumber(last))}
          </span>
        </li>
      ))}
    </ul>
  );
}
