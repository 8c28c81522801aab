import { PLAIN } from '../ansi';
import { endStyle, findMatches, toLines } from '../textLines';

const texts = (lines: readonly { text: string }[]) => lines.map(l => l.text);

describe('toLines', () => {
  it('keeps empty lines, but makes none of nothing', () => {
    expect(texts(toLines('a\n\nb\n'))).toEqual(['a', '', 'b']);
    expect(toLines('')).toEqual([]);
    expect(toLines('x')[0]?.style).toBe(PLAIN);
  });

  it('carries the look over line ends, until it is reset', () => {
    const looks = toLines('\x1b[31ma\nb\nc\x1b[0m\nd\x1b[32me\x1b[m\nf').map(
      ({ style }) => style.fg
    );
    expect(looks).toEqual([null, 1, 1, null, null]);
  });

  it('does not take another sequence at the end for a reset', () => {
    const [line] = toLines('\x1b[31mred\x1b[K');
    expect(line && endStyle(line).fg).toBe(1);
    const [bold] = toLines('\x1b[31mred\x1b[0;1m');
    expect(bold && endStyle(bold)).toMatchObject({ fg: null, bold: true });
  });
});

describe('findMatches', () => {
  it('looks at the text without its colours, in any case', () => {
    const lines = toLines('Err\x1b[31mor err\nnone\n');
    expect(findMatches(lines, 'ERROR')).toEqual([{ line: 0, from: 0, to: 5 }]);
    expect(findMatches(lines, 'err')).toHaveLength(2);
    expect(findMatches(lines, '')).toEqual([]);
  });
});
