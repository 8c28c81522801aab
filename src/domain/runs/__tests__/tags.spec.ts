import { isKept, parseTag } from '../tags';

describe('parseTag', () => {
  it('reads key=value, key: value and key', () => {
    expect(parseTag(' team = vision ')).toEqual({
      key: 'team',
      value: 'vision'
    });
    expect(parseTag('a:b=c')).toEqual({ key: 'a', value: 'b=c' });
    expect(parseTag('best')).toEqual({ key: 'best', value: '' });
    expect(parseTag('  ')).toBeNull();
    expect(parseTag('=x')).toBeNull();
  });
});

it('reads the mark of runs that are kept as the server does', () => {
  expect(isKept({})).toBe(false);
  expect(isKept({ 'mlws.keep': 'False' })).toBe(false);
  expect(isKept({ 'mlws.keep': 'true' })).toBe(true);
});
