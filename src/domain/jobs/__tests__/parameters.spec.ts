import { nullTranslator } from '@jupyterlab/translation';

import {
  problemText,
  readText,
  toText,
  type IParameterKind
} from '../parameters';

const trans = nullTranslator.load('jupyter_mlws');
const annotated = (type: IParameterKind['type']): IParameterKind => ({
  type,
  annotated: true,
  nullable: false
});
const guessed = (type: IParameterKind['type']): IParameterKind => ({
  type,
  annotated: false,
  nullable: false
});

describe('readText', () => {
  it.each([
    ['0.01', 'float', 0.01],
    ['.5', 'float', 0.5],
    ['1e-3', 'float', 0.001],
    ['1_000', 'int', 1000],
    ['2.0', 'int', 2],
    ['True', 'bool', true],
    ['[1, 2]', 'list', [1, 2]],
    ['{"a": 1}', 'dict', { a: 1 }],
    ['007', 'str', '007'],
    ['None', 'str', 'None'],
    ['adam', 'unknown', 'adam'],
    ['3', 'unknown', 3],
    ['None', 'none', null],
    ['constructor', 'unknown', 'constructor'],
    ['toString', 'none', 'toString'],
    ['12345678901234567890', 'float', 12345678901234567890],
    ['["12345678901234567890"]', 'list', ['12345678901234567890']]
  ] as const)('reads %p as %s', (text, type, value) => {
    expect(readText(text, annotated(type)).value).toEqual(value);
  });

  it.each([
    ['1.5', 'int', 'type'],
    ['yes', 'bool', 'type'],
    ['[1]', 'dict', 'type'],
    ['None', 'int', 'type'],
    ['hasOwnProperty', 'int', 'type'],
    ['12345678901234567890', 'int', 'digits'],
    ['12345678901234567890', 'unknown', 'digits'],
    ['[12345678901234567890]', 'list', 'digits'],
    ['{"a": -12345678901234567890}', 'dict', 'digits'],
    ['1e400', 'unknown', 'size'],
    ['1e400', 'float', 'size'],
    ['[1e400]', 'list', 'size']
  ] as const)('does not send %p as %s', (text, type, problem) => {
    const reading = readText(text, annotated(type));
    expect(reading.problem).toBe(problem);
    expect(problemText(reading, annotated(type), trans)).toBeTruthy();
  });

  it('takes a fraction where the notebook only happens to have a whole number', () => {
    expect(readText('0.5', guessed('int')).value).toBe(0.5);
    expect(readText('0.5', annotated('int')).problem).toBe('type');
  });

  it('takes None where it is the default', () => {
    const kind = { ...annotated('int'), nullable: true };
    expect(readText('None', kind)).toEqual({ value: null, problem: null });
    expect(readText('None', { ...kind, type: 'str' }).value).toBeNull();
  });

  it('takes back what toText gives', () => {
    for (const value of [1.5, true, null, [1, 'a'], { b: 2 }]) {
      expect(readText(toText(value), guessed('unknown')).value).toEqual(value);
    }
    expect(toText('bare')).toBe('bare');
  });
});
