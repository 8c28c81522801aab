import { fromText, toText } from '../parameters';
import { parseTag } from '../tags';

describe('fromText', () => {
  it.each([
    ['0.01', 'float', 0.01],
    ['.5', 'float', 0.5],
    ['1e-3', 'float', 0.001],
    ['1_000', 'int', 1000],
    ['1.5', 'int', undefined],
    ['True', 'bool', true],
    ['yes', 'bool', undefined],
    ['[1, 2]', 'list', [1, 2]],
    ['{"a": 1}', 'dict', { a: 1 }],
    ['[1]', 'dict', undefined],
    ['007', 'str', '007'],
    ['adam', 'unknown', 'adam'],
    ['3', 'unknown', 3],
    ['None', 'none', null]
  ])('reads %p as %s', (text, type, value) => {
    expect(fromText(text, type)).toEqual(value);
  });

  it('takes back what toText gives', () => {
    for (const value of [1.5, true, null, [1, 'a'], { b: 2 }]) {
      expect(fromText(toText(value), 'unknown')).toEqual(value);
    }
    expect(toText('bare')).toBe('bare');
  });
});

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
