import { compareValues, isBlank } from '../compare';

describe('compareValues', () => {
  it('orders numbers by size, names as people do', () => {
    expect([10, 9, Infinity, -1].sort(compareValues)).toEqual([
      -1,
      9,
      10,
      Infinity
    ]);
    expect(['lr-10', 'lr-2', 'LR-3'].sort(compareValues)).toEqual([
      'lr-2',
      'LR-3',
      'lr-10'
    ]);
    expect(compareValues(new Date(1), new Date(2))).toBe(-1);
    expect(compareValues(Infinity, Infinity)).toBe(0);
    expect(compareValues(false, true)).toBe(-1);
  });
});

describe('isBlank', () => {
  it('is true of what has no place in an order', () => {
    expect([null, undefined, '', NaN].every(isBlank)).toBe(true);
    expect([0, 'a', false, -Infinity].some(isBlank)).toBe(false);
  });
});
