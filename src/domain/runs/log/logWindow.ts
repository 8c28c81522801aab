import { PLAIN } from '../../../lib/ansi';
import { endStyle, toLines, type ITextLine } from '../../../lib/textLines';

/** Bytes of a log that were fetched together. */
interface IPart {
  start: number;
  end: number;
  /** How many lines they are. */
  lines: number;
  chars: number;
}

/** A piece of a log that is held: the lines between two byte offsets. */
export interface ILogWindow {
  lines: readonly ITextLine[];
  /** Number of the first line: it falls as lines come in front, and grows as they are let go there. */
  base: number;
  parts: readonly IPart[];
  /** Byte offset of the first line. */
  start: number;
  /** Byte offset after the last line. */
  end: number;
  /** The lines reach the end of the log, and go on with it. */
  atEnd: boolean;
  /** The unfinished last lines. */
  partial: string;
  /** Bytes of the whole log. */
  size: number;
  /** Nothing more will come. */
  done: boolean;
}

/** What a server's answer holds, as far as the window needs it. */
export interface ILogPiece {
  text: string;
  partial: string;
  offset: number;
  next_offset: number;
  size: number;
  done: boolean;
}

/** What a window may hold; the far end is let go first. */
export interface ILogLimits {
  chars: number;
  lines: number;
}

/** As many lines as a page can be high, and as many characters as a tab should hold. */
export const LOG_LIMITS: ILogLimits = { chars: 8_000_000, lines: 500_000 };

export const EMPTY_WINDOW: ILogWindow = {
  lines: [],
  base: 0,
  parts: [],
  start: 0,
  end: 0,
  atEnd: true,
  partial: '',
  size: 0,
  done: false
};

/** A window on one piece. */
export function opened(piece: ILogPiece, before: ILogWindow): ILogWindow {
  return append(
    {
      ...EMPTY_WINDOW,
      // Numbers that no line before had: nothing of them is to be recognized.
      base: before.base + before.lines.length + 1,
      start: piece.offset,
      end: piece.offset
    },
    piece
  );
}

/** The window with a piece that follows it. */
export function append(window: ILogWindow, piece: ILogPiece): ILogWindow {
  const { text, partial, offset, next_offset: end, size, done } = piece;
  const last = window.lines[window.lines.length - 1];
  const added = toLines(text, last ? endStyle(last) : PLAIN);
  const part: IPart = {
    start: offset,
    end,
    lines: added.length,
    chars: text.length
  };
  return {
    ...window,
    lines: added.length ? [...window.lines, ...added] : window.lines,
    parts: added.length ? joined(window.parts, part) : window.parts,
    end,
    atEnd: done || end + partial.length * 4 >= size,
    partial,
    size,
    done
  };
}

/** Small parts become one: the parts are where a window is cut. */
const PART_CHARS = 64_000;

function joined(parts: readonly IPart[], next: IPart): readonly IPart[] {
  const last = parts[parts.length - 1];
  return last && last.chars + next.chars < PART_CHARS
    ? [
        ...parts.slice(0, -1),
        {
          start: last.start,
          end: next.end,
          lines: last.lines + next.lines,
          chars: last.chars + next.chars
        }
      ]
    : [...parts, next];
}

/** The window with a piece in front of it. */
export function prepend(window: ILogWindow, piece: ILogPiece): ILogWindow {
  const added = toLines(piece.text);
  const { offset: start, next_offset: end } = piece;
  return {
    ...window,
    lines: [...added, ...window.lines],
    base: window.base - added.length,
    parts: [
      { start, end, lines: added.length, chars: piece.text.length },
      ...window.parts
    ],
    start
  };
}

/** Whether a window holds more than it may. */
export function isFull(window: ILogWindow, limits = LOG_LIMITS): boolean {
  const chars = window.parts.reduce((sum, part) => sum + part.chars, 0);
  return chars > limits.chars || window.lines.length > limits.lines;
}

/** Lets go of the oldest lines while there is too much. */
export function trimStart(window: ILogWindow, limits = LOG_LIMITS): ILogWindow {
  let trimmed = window;
  while (isFull(trimmed, limits) && trimmed.parts.length > 1) {
    const [first, ...parts] = trimmed.parts;
    const gone = first?.lines ?? 0;
    trimmed = {
      ...trimmed,
      parts,
      start: parts[0]?.start ?? trimmed.end,
      base: trimmed.base + gone,
      lines: trimmed.lines.slice(gone)
    };
  }
  return trimmed;
}

/** Lets go of the newest lines while there is too much; then the window is at the end no more. */
export function trimEnd(window: ILogWindow, limits = LOG_LIMITS): ILogWindow {
  let trimmed = window;
  while (isFull(trimmed, limits) && trimmed.parts.length > 1) {
    const parts = trimmed.parts.slice(0, -1);
    const gone = trimmed.parts[parts.length]?.lines ?? 0;
    trimmed = {
      ...trimmed,
      parts,
      end: parts[parts.length - 1]?.end ?? trimmed.start,
      lines: trimmed.lines.slice(0, trimmed.lines.length - gone),
      atEnd: false,
      partial: ''
    };
  }
  return trimmed;
}

const bytes = new TextEncoder();

/** Index of the line that begins at a byte offset, or holds it; null where the window does not. */
export function lineAt(window: ILogWindow, offset: number): number | null {
  let index = 0;
  for (const part of window.parts) {
    if (offset >= part.start && offset < part.end) {
      let at = part.start;
      for (let i = index; i < index + part.lines; i += 1) {
        at += bytes.encode(window.lines[i]?.text).length + 1;
        if (offset < at) {
          return i;
        }
      }
      return null;
    }
    index += part.lines;
  }
  return null;
}
