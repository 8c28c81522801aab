/** Puts the curves of several runs on one x axis, as uPlot wants them. Pure. */

/** What runs along the x axis. */
export type XAxis = 'step' | 'wall' | 'relative';

/** The points of one curve; three arrays of one length. */
export interface ICurve {
  steps: ArrayLike<number>;
  /** Wall time in ms since 1970. */
  times: ArrayLike<number>;
  /** NaN, infinities and null become gaps. */
  values: ArrayLike<number | null>;
  /** Where relative time begins, in ms; the first time when left out. */
  startTime?: number;
}

/** One column of y values: a number, a gap (null), or nothing at this x (undefined). */
export type YColumn = (number | null | undefined)[];

/** uPlot's shape: x first, then a column a curve. */
export type AlignedColumns = [number[], ...YColumn[]];

/**
 * Aligns curves.
 *
 * A null in a column breaks the line; an undefined (another curve's x) does not. Of two points of
 * one curve at one x the later counts.
 *
 * @param logScale - Leaves out what a logarithm cannot show.
 * @returns Columns; x is ascending, in steps, or in seconds for both kinds of time.
 */
export function alignCurves(
  curves: readonly ICurve[],
  axis: XAxis,
  logScale = false
): AlignedColumns {
  const xsOfCurves = curves.map(curve => xValues(curve, axis));
  const xs = union(xsOfCurves);
  const place = new Map(xs.map((x, i) => [x, i]));
  const columns = curves.map((curve, c) => {
    const column: YColumn = new Array<undefined>(xs.length).fill(undefined);
    (xsOfCurves[c] ?? []).forEach((x, i) => {
      const at = place.get(x);
      if (at !== undefined) {
        column[at] = plottable(curve.values[i], logScale);
      }
    });
    return column;
  });
  return [xs, ...columns];
}

function plottable(
  value: number | null | undefined,
  logScale: boolean
): number | null {
  return value === null ||
    value === undefined ||
    !Number.isFinite(value) ||
    (logScale && value <= 0)
    ? null
    : value;
}

function xValues(curve: ICurve, axis: XAxis): number[] {
  if (axis === 'step') {
    return Array.from(curve.steps);
  }
  const times = Array.from(curve.times);
  const start =
    axis === 'wall' ? 0 : (curve.startTime ?? times.reduce(least, Infinity));
  return times.map(time => (time - start) / 1000);
}

const least = (a: number, b: number): number => Math.min(a, b);

function union(lists: readonly number[][]): number[] {
  const seen = new Set<number>();
  for (const list of lists) {
    for (const x of list) {
      if (Number.isFinite(x)) {
        seen.add(x);
      }
    }
  }
  return [...seen].sort((a, b) => a - b);
}

/**
 * The last value of a column at or before an index, past gaps of other curves: what a legend shows.
 *
 * @returns null where the curve has a gap or has not begun.
 */
export function valueAt(column: YColumn, index: number): number | null {
  for (let i = Math.min(index, column.length - 1); i >= 0; i -= 1) {
    const value = column[i];
    if (value !== undefined) {
      return value;
    }
  }
  return null;
}
