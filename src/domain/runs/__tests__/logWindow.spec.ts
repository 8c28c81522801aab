import { PLAIN } from '../../../lib/ansi';
import {
  append,
  EMPTY_WINDOW,
  findMatches,
  prepend,
  toLines,
  type ILogPiece
} from '../log/logWindow';

const piece = (text: string, offset: number, more: Partial<ILogPiece> = {}) => {
  const end = offset + new TextEncoder().encode(text).length;
  return {
    text,
    partial: '',
    offset,
    next_offset: end,
    size: end,
    done: false,
    ...more
  };
};
const texts = (lines: readonly { text: string }[]) => lines.map(l => l.text);

describe('append', () => {
  it('adds what follows, and keeps the colour over the border', () => {
    const first = append(EMPTY_WINDOW, piece('a\n\x1b[31mb\n', 0));
    const second = append(first, piece('c\n', first.end, { partial: 'd' }));
    expect(texts(second.lines)).toEqual(['a', '\x1b[31mb', 'c']);
    expect(second.lines[2]?.style.fg).toBe(1);
    expect(second.partial).toBe('d');
    expect(second.start).toBe(0);
  });

  it('begins anew where a piece does not follow', () => {
    const first = append(EMPTY_WINDOW, piece('a\n', 0));
    const jump = append(first, piece('z\n', 100));
    expect(texts(jump.lines)).toEqual(['z']);
    expect(jump.start).toBe(100);
  });

  it('lets go of the oldest lines, and counts their bytes', () => {
    const text = Array.from({ length: 100 }, (_, i) => `ü${i}\n`).join('');
    const window = append(EMPTY_WINDOW, piece(text, 0), 200);
    const dropped = 100 - window.lines.length;
    expect(dropped).toBeGreaterThan(0);
    expect(window.lines[0]?.text).toBe(`ü${dropped}`);
    const before = text.split('\n').slice(0, dropped).join('\n') + '\n';
    expect(window.start).toBe(new TextEncoder().encode(before).length);
  });
});

describe('prepend', () => {
  it('puts lines in front', () => {
    const window = append(EMPTY_WINDOW, piece('b\n', 2));
    const whole = prepend(window, piece('a\n', 0));
    expect(texts(whole.lines)).toEqual(['a', 'b']);
    expect([whole.start, whole.end]).toEqual([0, 4]);
  });
});

describe('toLines', () => {
  it('keeps empty lines, but makes none of nothing', () => {
    expect(texts(toLines('a\n\nb\n'))).toEqual(['a', '', 'b']);
    expect(toLines('')).toEqual([]);
    expect(toLines('x')[0]?.style).toBe(PLAIN);
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
