import { Observable } from '../observable';
import { randomId } from '../randomId';
import { stableOrder } from '../stableOrder';

describe('stableOrder', () => {
  it.each([
    ['keeps what stands', 'abc', 'cab', 'abc'],
    ['drops what is gone', 'abc', 'ca', 'ac'],
    ['puts the newest on top', 'abc', 'xabc', 'xabc'],
    ['appends the next page', 'ab', 'abcd', 'abcd'],
    ['puts a new one after its neighbour', 'abc', 'cxab', 'abcx'],
    ['begins with the order given', '', 'cab', 'cab']
  ])('%s', (_what, before, after, wanted) => {
    expect(stableOrder([...before], [...after]).join('')).toBe(wanted);
  });
});

describe('Observable', () => {
  it('tells of changes only, and only those who still listen', () => {
    const value = new Observable(1);
    const heard = jest.fn();
    const stop = value.subscribe(heard);
    value.set(1);
    expect(heard).not.toHaveBeenCalled();
    value.set(2);
    stop();
    value.set(3);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(value.get()).toBe(3);
  });
});

test('random ids are 32 hexadecimal digits', () => {
  expect(randomId()).toMatch(/^[0-9a-f]{32}$/);
  expect(randomId()).not.toBe(randomId());
});
