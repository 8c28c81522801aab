import { parseAnsi, PLAIN, stripAnsi } from '../ansi';

const ESC = '\x1b';
const looks = (line: string) =>
  parseAnsi(line).segments.map(({ text, style }) => [text, style.fg, style.bg]);

describe('parseAnsi', () => {
  it('leaves plain text alone', () => {
    expect(parseAnsi('a < b\tc')).toEqual({
      segments: [{ text: 'a < b\tc', style: PLAIN }],
      end: PLAIN
    });
  });

  it('reads the 16, the 256 and the true colours', () => {
    expect(looks(`${ESC}[31mr${ESC}[92mg${ESC}[39;44mb`)).toEqual([
      ['r', 1, null],
      ['g', 10, null],
      ['b', null, 4]
    ]);
    expect(looks(`${ESC}[38;5;208mo${ESC}[38;5;9mr${ESC}[38;5;255mw`)).toEqual([
      ['o', '#ff8700', null],
      ['r', 9, null],
      ['w', '#eeeeee', null]
    ]);
    expect(looks(`${ESC}[48;2;1;2;255mx`)).toEqual([['x', null, '#0102ff']]);
  });

  it('reads several codes at once, and "m" alone as a reset', () => {
    const { segments, end } = parseAnsi(`${ESC}[1;4;31mx${ESC}[my`);
    expect(segments[0]?.style).toMatchObject({
      bold: true,
      underline: true,
      fg: 1
    });
    expect(segments[1]?.style).toEqual(PLAIN);
    expect(end).toEqual(PLAIN);
  });

  it('goes on from the look of the line before', () => {
    const { end } = parseAnsi(`${ESC}[35mstart`);
    expect(parseAnsi('next', end).segments).toEqual([
      { text: 'next', style: { ...PLAIN, fg: 5 } }
    ]);
  });

  it('drops whatever else a terminal would obey', () => {
    expect(
      stripAnsi(
        `${ESC}[2J${ESC}[1;1Ha${ESC}]0;title\x07b${ESC}]8;;http://x${ESC}\\c${ESC}(Bd\x00\x08e`
      )
    ).toBe('abcde');
  });

  it('survives nonsense', () => {
    expect(looks(`${ESC}[38;5;999ma${ESC}[38;2;1mb${ESC}[38mc${ESC}[`)).toEqual(
      expect.arrayContaining([expect.arrayContaining([expect.any(String)])])
    );
    expect(looks(`${ESC}[38;2;300;0;0mx`)).toEqual([['x', null, null]]);
  });
});
