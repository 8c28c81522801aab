import { alignCurves, valueAt } from '../chartData';

const a = { steps: [0, 1, 2], times: [1000, 2000, 3000], values: [1, NaN, 3] };
const b = { steps: [1, 3], times: [5000, 9000], values: [10, -20] };

describe('alignCurves', () => {
  it('joins steps; NaN is a gap, another curve’s x is not', () => {
    expect(alignCurves([a, b], 'step')).toEqual([
      [0, 1, 2, 3],
      [1, null, 3, undefined],
      [undefined, 10, undefined, -20]
    ]);
  });

  it('gives wall time in seconds', () => {
    expect(alignCurves([a], 'wall')[0]).toEqual([1, 2, 3]);
  });

  it('begins relative time at each curve’s own start', () => {
    expect(alignCurves([a, b], 'relative')[0]).toEqual([0, 1, 2, 4]);
    expect(alignCurves([{ ...b, startTime: 4000 }], 'relative')[0]).toEqual([
      1, 5
    ]);
  });

  it('leaves out what a logarithm cannot show', () => {
    expect(alignCurves([b], 'step', true)[1]).toEqual([10, null]);
  });

  it('takes the later of two points at one x, and infinities as gaps', () => {
    const twice = { steps: [0, 0, 1], times: [], values: [1, 2, Infinity] };
    expect(alignCurves([twice], 'step')).toEqual([
      [0, 1],
      [2, null]
    ]);
  });

  it('is empty when there is nothing', () => {
    expect(alignCurves([], 'relative')).toEqual([[]]);
    const none = { steps: [], times: [], values: [] };
    expect(alignCurves([none], 'relative')).toEqual([[], []]);
  });
});

describe('valueAt', () => {
  it('looks back past other curves’ points, but not past a gap', () => {
    const column = [undefined, 5, undefined, null, undefined];
    expect(valueAt(column, 0)).toBeNull();
    expect(valueAt(column, 2)).toBe(5);
    expect(valueAt(column, 4)).toBeNull();
    expect(valueAt(column, 99)).toBeNull();
    expect(valueAt([], 0)).toBeNull();
  });
});
