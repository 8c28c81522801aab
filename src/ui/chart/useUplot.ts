import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type RefObject
} from 'react';
import uPlot from 'uplot';

import type { AlignedColumns, XAxis } from '../../lib/chartData';
import { chartOptions, readTheme, type ICurveStyle } from './chartOptions';
import { useThemeVersion } from './useThemeVersion';

interface IUplotInput {
  curves: readonly ICurveStyle[];
  data: AlignedColumns;
  axis: XAxis;
  logScale: boolean;
  height: number;
}

interface IUplotHandle {
  host: RefObject<HTMLDivElement>;
  /** Index into the data under the pointer, or null. */
  cursor: number | null;
  /** Shows all of x again after a zoom. */
  resetZoom: () => void;
}

/**
 * Keeps a uPlot in a host element. New data goes in by `setData`; only another shape (curves, axis,
 * scale, theme) makes a new plot. A zoom stays while live data comes.
 */
export function useUplot(input: IUplotInput): IUplotHandle {
  const { curves, data, axis, logScale, height } = input;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(data);
  const [cursor, setCursor] = useState<number | null>(null);
  const theme = useThemeVersion();
  const shape = JSON.stringify([
    curves.map(({ label, color, dash }) => [label, color, dash]),
    axis,
    logScale,
    theme
  ]);
  latest.current = data;

  useLayoutEffect(() => {
    const element = host.current;
    if (!element) {
      return;
    }
    const chart = new uPlot(
      chartOptions(
        {
          curves,
          axis,
          logScale,
          theme: readTheme(element),
          width: Math.max(element.clientWidth, 80),
          height
        },
        setCursor
      ),
      latest.current,
      element
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      // A hidden panel has no width: keep the last.
      if (width > 0 && (width !== chart.width || height !== chart.height)) {
        chart.setSize({ width, height });
      }
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current = null;
      chart.destroy();
      setCursor(null);
    };
    // `shape` stands for curves, axis, logScale and theme.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, height]);

  useEffect(() => {
    if (plot.current && plot.current.data !== data) {
      feed(plot.current, data);
    }
  }, [data]);

  const hidden = curves.map(curve => (curve.shown ? '1' : '0')).join('');
  useEffect(() => {
    [...hidden].forEach((flag, i) => {
      const show = flag === '1';
      if (plot.current?.series[i + 1]?.show !== show) {
        plot.current?.setSeries(i + 1, { show });
      }
    });
  }, [hidden, shape]);

  return {
    host,
    cursor,
    resetZoom: () => plot.current?.setData(latest.current)
  };
}

/** Sets new data; where the user has zoomed in, x stays and y follows. */
function feed(chart: uPlot, data: AlignedColumns): void {
  const { min, max } = chart.scales['x'] ?? {};
  const xs = chart.data[0];
  const first = xs[0];
  const last = xs[xs.length - 1];
  const zoomed =
    typeof min === 'number' &&
    typeof max === 'number' &&
    first !== undefined &&
    last !== undefined &&
    (min > first || max < last);
  chart.batch(() => {
    chart.setData(data, !zoomed);
    if (zoomed) {
      chart.setScale('x', { min, max });
    }
  });
}
