import { formatNumber, formatNumberFull } from '../../lib/format';
import { useTrans } from '../trans';
import type { ICurveStyle } from './chartOptions';

interface IChartLegendProps {
  curves: readonly (ICurveStyle & { id: string; value: number | null })[];
  onToggle: (id: string) => void;
}

/** One button a curve: its line, its name, its value under the pointer. Pressing hides the curve. */
export function ChartLegend(props: IChartLegendProps): JSX.Element {
  const trans = useTrans();
  return (
    <ul className="jp-mlws-legend">
      {props.curves.map(curve => (
        <li key={curve.id}>
          <button
            type="button"
            className="jp-mlws-legend-entry"
            aria-pressed={curve.shown}
            title={
              curve.shown
                ? trans.__('Hide %1', curve.label)
                : trans.__('Show %1', curve.label)
            }
            onClick={() => props.onToggle(curve.id)}
          >
            <svg
              className="jp-mlws-legend-line"
              viewBox="0 0 20 4"
              aria-hidden="true"
            >
              <path
                d="M0 2h20"
                stroke={curve.color}
                strokeWidth="2.5"
                strokeDasharray={curve.dash.join(' ') || undefined}
              />
            </svg>
            <span className="jp-mlws-legend-label">{curve.label}</span>
            <span
              className="jp-mlws-number"
              title={formatNumberFull(curve.value)}
            >
              {formatNumber(curve.value)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
