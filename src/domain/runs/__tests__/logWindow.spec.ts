import {
  append,
  EMPTY_WINDOW,
  isFull,
  lineAt,
  opened,
  prepend,
  trimEnd,
  trimStart,
  type ILogPiece,
  type ILogWindow
} from '../log/logWindow';

const bytes = (text: string) => new TextEncoder().encode(text).length;
const piece = (text: string, offset: number, more: Partial<ILogPiece> = {}) => {
  const end = offset + bytes(text);
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

/** Lines "ü0" … in so many pieces; the parts are where a window is cut. */
function longWindow(lines: number, pieces: number): [ILogWindow, string] {
  const text = Array.from({ length: lines }, (_, i) => `ü${i}\n`).join('');
  const all = text.split(/(?<=\n)/);
  const each = lines / pieces;
  let window = EMPTY_WINDOW;
  for (let i = 0; i < pieces; i += 1) {
    // Long enough for a part of its own.
    const some = all.slice(i * each, (i + 1) * each);
    some[0] = `${'x'.repeat(64_000)}\n`;
    window = append(window, piece(some.join(''), window.end));
  }
  return [window, text];
}

describe('append', () => {
  it('adds what follows, and keeps the colour over the border', () => {
    const first = append(EMPTY_WINDOW, piece('a\n\x1b[31mb\n', 0));
    const second = append(first, piece('c\n', first.end, { partial: 'd' }));
    expect(texts(second.lines)).toEqual(['a', '\x1b[31mb', 'c']);
    expect(second.lines[2]?.style.fg).toBe(1);
    expect(second.partial).toBe('d');
    expect([second.start, second.base]).toEqual([0, 0]);
  });

  it('knows whether it reaches the end', () => {
    expect(append(EMPTY_WINDOW, piece('a\n', 0)).atEnd).toBe(true);
    const some = piece('a\n', 0, { size: 100 });
    expect(append(EMPTY_WINDOW, some).atEnd).toBe(false);
    const unfinished = piece('a\n', 0, { size: 5, partial: 'bär' });
    expect(append(EMPTY_WINDOW, unfinished).atEnd).toBe(true);
  });
});

describe('a window that begins anew', () => {
  it('has no line number of the one before', () => {
    const before = append(EMPTY_WINDOW, piece('a\nb\n', 0));
    const next = opened(piece('z\n', 100), before);
    expect(texts(next.lines)).toEqual(['z']);
    expect(next.start).toBe(100);
    expect(next.base).toBeGreaterThan(before.base + 1);
  });
});

describe('prepend', () => {
  it('puts lines in front; those that were there keep their numbers', () => {
    const window = append(EMPTY_WINDOW, piece('c\n', 4));
    const whole = prepend(window, piece('a\nb\n', 0));
    expect(texts(whole.lines)).toEqual(['a', 'b', 'c']);
    expect([whole.start, whole.end, whole.base]).toEqual([0, 6, -2]);
  });
});

describe('trimming', () => {
  const limits = { chars: 150_000, lines: 1_000_000 };

  it('lets go of the oldest lines, exactly to a byte', () => {
    const [window] = longWindow(40, 4);
    const trimmed = trimStart(window, limits);
    expect(isFull(trimmed, limits)).toBe(false);
    expect(trimmed.lines).toHaveLength(20);
    expect(trimmed.base).toBe(20);
    expect(trimmed.start).toBe(
      bytes(texts(window.lines.slice(0, 20)).join('\n') + '\n')
    );
    expect([trimmed.end, trimmed.atEnd]).toEqual([window.end, true]);
  });

  it('lets go of the newest, and is at the end no more', () => {
    const [window] = longWindow(40, 4);
    const trimmed = trimEnd({ ...window, partial: 'live' }, limits);
    expect(trimmed.lines).toHaveLength(20);
    expect([trimmed.base, trimmed.start]).toEqual([0, 0]);
    expect(trimmed.end).toBe(trimStart(window, limits).start);
    expect([trimmed.atEnd, trimmed.partial]).toEqual([false, '']);
  });

  it('counts lines as well as characters', () => {
    const [window] = longWindow(40, 4);
    expect(trimStart(window, { chars: 1e9, lines: 30 }).lines).toHaveLength(30);
  });
});

describe('lineAt', () => {
  it('finds the line of an offset in the parts that are held', () => {
    const [window] = longWindow(40, 4);
    const trimmed = trimStart(window, { chars: 150_000, lines: 1e6 });
    for (const index of [0, 1, 9, 10, 19]) {
      const before = texts(trimmed.lines.slice(0, index));
      const offset =
        trimmed.start + before.reduce((sum, line) => sum + bytes(line) + 1, 0);
      expect(lineAt(trimmed, offset)).toBe(index);
      expect(lineAt(trimmed, offset + 1)).toBe(index);
    }
    expect(lineAt(trimmed, trimmed.start - 1)).toBeNull();
    expect(lineAt(trimmed, trimmed.end)).toBeNull();
  });
});
