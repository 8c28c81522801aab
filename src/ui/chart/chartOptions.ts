import uPlot from 'uplot';

import type { XAxis } from '../../lib/chartData';
import { formatDuration, formatNumber } from '../../lib/format';

/** How one curve is drawn. */
export interface ICurveStyle {
  label: string;
  color: string;
  dash: readonly number[];
  shown: boolean;
}

/** Colours and font of the theme, read from the element the chart stands in. */
export interface IChartTheme {
  text: string;
  grid: string;
  font: string;
}

/** Reads the theme; a canvas cannot use CSS variables by itself. */
export function readTheme(element: HTMLElement): IChartTheme {
  const style = getComputedStyle(element);
  const read = (name: string, fallback: string): string =>
    style.getPropertyValue(name).trim() || fallback;
  return {
    text: read('--jp-ui-font-color2', 'gray'),
    grid: read('--jp-border-color2', 'gray'),
    // Resolved to px: a canvas takes neither em nor var().
    font: `${style.fontSize || '11px'} ${style.fontFamily || 'sans-serif'}`
  };
}

/** What a chart is made from; a change of any of it makes a new uPlot, new data does not. */
export interface IChartShape {
  curves: readonly ICurveStyle[];
  axis: XAxis;
  logScale: boolean;
  theme: IChartTheme;
  width: number;
  height: number;
}

/** Text of an x value, for ticks and the legend. */
export function formatX(value: number, axis: XAxis, locale?: string): string {
  if (axis === 'relative') {
    return formatDuration(value * 1000);
  }
  return axis === 'wall'
    ? new Intl.DateTimeFormat(locale, {
        dateStyle: 'short',
        timeStyle: 'medium'
      }).format(value * 1000)
    : String(value);
}

/** A range that has some height even for one flat curve. */
const yRange: uPlot.Range.Function = (_self, min, max) =>
  min === null || max === null
    ? [0, 1]
    : uPlot.rangeNum(min, max, { min: { pad: 0.08 }, max: { pad: 0.08 } });

const logRange: uPlot.Range.Function = (_self, min, max) =>
  min === null || max === null ? [0.1, 1] : uPlot.rangeLog(min, max, 10, false);

/** Distances of ticks on a clock, in seconds: 0:30, 5:00, 1:00:00, not 1:40. */
const CLOCK_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600,
  43_200, 86_400, 172_800, 604_800
];

/** uPlot's options for a shape. */
export function chartOptions(
  shape: IChartShape,
  onCursor: (index: number | null) => void
): uPlot.Options {
  const { theme, axis } = shape;
  const lines = {
    stroke: theme.text,
    font: theme.font,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { stroke: theme.grid, width: 1, size: 4 }
  };
  return {
    width: shape.width,
    height: shape.height,
    // The legend is ours: buttons that a keyboard can reach.
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: true, y: false } },
    scales: {
      x: { time: axis === 'wall' },
      y: shape.logScale
        ? { distr: 3, log: 10, range: logRange }
        : { range: yRange }
    },
    axes: [
      {
        ...lines,
        size: 28,
        space: 64,
        ...(axis === 'relative' ? { incrs: CLOCK_STEPS } : {}),
        ...(axis === 'wall'
          ? {}
          : {
              values: (_self: uPlot, ticks: number[]) =>
                ticks.map(tick =>
                  axis === 'step' && !Number.isInteger(tick)
                    ? ''
                    : formatX(tick, axis)
                )
            })
      },
      {
        ...lines,
        size: 56,
        values: (_self, ticks) =>
          ticks.map(tick => (tick === null ? '' : formatNumber(tick)))
      }
    ],
    series: [{}, ...shape.curves.map(curveSeries)],
    hooks: {
      setCursor: [self => onCursor(self.cursor.idx ?? null)]
    }
  };
}

function curveSeries(curve: ICurveStyle): uPlot.Series {
  return {
    label: curve.label,
    stroke: curve.color,
    dash: [...curve.dash],
    show: curve.shown,
    width: 1.5,
    spanGaps: false,
    // A curve of a few points is seen better with its points.
    points: { size: 5 }
  };
}
