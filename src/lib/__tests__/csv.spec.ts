import { csvCell, toCsv } from '../csv';

describe('csvCell', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    [0.1, '0.1'],
    [-1e-7, '-1e-7'],
    [-Infinity, '-Infinity'],
    [NaN, 'NaN'],
    ['-0.5', '-0.5'],
    ['+3e8', '+3e8'],
    [null, '']
  ])('%p is %p', (value, text) => {
    expect(csvCell(value)).toBe(text);
  });

  it.each([
    '=1+1',
    '+cmd|x',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '-',
    '=HYPERLINK("x")'
  ])('takes the formula out of %p', value => {
    expect(csvCell(value).replace(/^"/, '')).toMatch(/^'/);
  });
});

describe('toCsv', () => {
  it('begins with the columns, and ends each line', () => {
    expect(toCsv(['name', 'value'], [['lr', 0.1]])).toBe(
      'name,value\r\nlr,0.1\r\n'
    );
  });
});
