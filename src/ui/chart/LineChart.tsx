import { useMemo, useState } from 'react';

import {
  alignCurves,
  valueAt,
  type AlignedColumns,
  type ICurve,
  type XAxis,
  type YColumn
} from '../../lib/chartData';
import { runStyles } from '../../lib/runColor';
import { useLocale, useTrans } from '../trans';
import { ChartLegend } from './ChartLegend';
import { ChartReadout } from './ChartReadout';
import { formatX, type ICurveStyle } from './chartOptions';
import { ChartToolbar } from './ChartToolbar';
import { useUplot } from './useUplot';

/** One curve of a chart. */
export interface ILineSeries extends ICurve {
  /** The run's id: it gives the colour, so that it is the same everywhere. */
  id: string;
  label: string;
  /** Overrides the run's colour, where one chart has several metrics of one run. */
  color?: string;
  /** Lengths of strokes and gaps; a whole line when left out. Goes with a colour of its own. */
  dash?: readonly number[];
}

export interface ILineChartProps {
  /** The metric's name. */
  title: string;
  /** Give a new array when points come; the same array draws nothing anew. */
  series: readonly ILineSeries[];
  height?: number;
  /** The x axis; the chart keeps its own when left out. */
  axis?: XAxis;
  onAxisChange?: (axis: XAxis) => void;
  /** The y scale; the chart keeps its own when left out. */
  logScale?: boolean;
  onLogScaleChange?: (on: boolean) => void;
  /** One of many with shared controls: no toolbar, and one line in place of the legend. */
  bare?: boolean;
  /** A bare chart with the legend after all: for several curves. */
  legend?: boolean;
}

/** State that a caller may hold instead. */
function useMaybeControlled<T>(
  given: T | undefined,
  initial: T,
  onChange?: (value: T) => void
): [T, (value: T) => void] {
  const [own, setOwn] = useState(initial);
  const set = (value: T): void => {
    setOwn(value);
    onChange?.(value);
  };
  return [given ?? own, set];
}

/** The columns to draw, and how each curve looks; which curves are hidden is kept here. */
function useCurves(
  series: readonly ILineSeries[],
  axis: XAxis,
  logScale: boolean
): {
  data: AlignedColumns;
  /** The same with all values: the legend also tells what a logarithm cannot show. */
  told: AlignedColumns;
  curves: (ICurveStyle & { id: string })[];
  toggle: (id: string) => void;
} {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const data = useMemo(
    () => alignCurves(series, axis, logScale),
    [series, axis, logScale]
  );
  const told = useMemo(
    () => (logScale ? alignCurves(series, axis) : data),
    [series, axis, logScale, data]
  );
  const curves = useMemo(() => {
    const styles = runStyles(series.map(({ id }) => id));
    return series.map(({ id, label, color, dash }) => {
      const style = styles.get(id);
      return {
        id,
        label,
        color: color ?? style?.color ?? '',
        dash: color ? (dash ?? []) : (style?.dash ?? []),
        shown: !hidden.has(id)
      };
    });
  }, [series, hidden]);
  const toggle = (id: string): void =>
    setHidden(before => {
      const after = new Set(before);
      if (!after.delete(id)) {
        after.add(id);
      }
      return after;
    });
  return { data, told, curves, toggle };
}

/** Curves of one metric over several runs; zoom by dragging, live data without a jump. */
export function LineChart(props: ILineChartProps): JSX.Element {
  const { title, series, bare, legend, height = 220 } = props;
  const trans = useTrans();
  const locale = useLocale();
  const [axis, setAxis] = useMaybeControlled(
    props.axis,
    'step',
    props.onAxisChange
  );
  const [logScale, setLogScale] = useMaybeControlled(
    props.logScale,
    false,
    props.onLogScaleChange
  );
  const { data, told, curves, toggle } = useCurves(series, axis, logScale);
  const chart = useUplot({ curves, data, axis, logScale, height });

  const last = data[0].length - 1;
  const at = chart.cursor ?? last;
  const x = chart.cursor === null ? undefined : data[0][at];
  const position = x === undefined ? '' : formatX(x, axis, locale);
  const valueOf = (index: number): number | null =>
    valueAt(told[index + 1] as YColumn, at);
  return (
    <figure className="jp-mlws-chart" aria-label={title}>
      {!bare && (
        <ChartToolbar
          title={title}
          axis={axis}
          logScale={logScale}
          position={position}
          onAxis={setAxis}
          onLogScale={setLogScale}
          onResetZoom={chart.resetZoom}
        />
      )}
      <div
        ref={chart.host}
        className="jp-mlws-chart-canvas"
        role="img"
        style={{ height }}
        aria-label={trans._n(
          'Chart of %2, one curve; its values are in the legend',
          'Chart of %2, %1 curves; their values are in the legend',
          series.length,
          title
        )}
      />
      {bare && !legend ? (
        <ChartReadout
          position={position}
          value={position ? valueOf(0) : null}
          onResetZoom={chart.resetZoom}
        />
      ) : (
        <ChartLegend
          curves={curves.map((curve, i) => ({ ...curve, value: valueOf(i) }))}
          onToggle={toggle}
        />
      )}
    </figure>
  );
}
