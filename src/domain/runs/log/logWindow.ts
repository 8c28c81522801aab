import {
  parseAnsi,
  PLAIN,
  stripAnsi,
  type IAnsiStyle
} from '../../../lib/ansi';

/** One line of a log. */
export interface ILogLine {
  /** With its escape sequences. */
  text: string;
  /** The look at its beginning. */
  style: IAnsiStyle;
}

/** A piece of a log that is held: the lines between two byte offsets. */
export interface ILogWindow {
  lines: readonly ILogLine[];
  /** Byte offset of the first line. */
  start: number;
  /** Byte offset after the last line. */
  end: number;
  /** The unfinished last line. */
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

/** Characters that a window holds at most; the far end is let go first. */
export const WINDOW_CHARS = 8_000_000;

export const EMPTY_WINDOW: ILogWindow = {
  lines: [],
  start: 0,
  end: 0,
  partial: '',
  size: 0,
  done: false
};

/** Lines of a text, each with the look that the ones before it left behind. */
export function toLines(text: string, style: IAnsiStyle = PLAIN): ILogLine[] {
  if (!text) {
    return [];
  }
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map(line => {
    const made = { text: line, style };
    style = endStyle(made);
    return made;
  });
}

function endStyle(line: ILogLine): IAnsiStyle {
  return line.text.includes('\x1b')
    ? parseAnsi(line.text, line.style).end
    : line.style;
}

const bytes = new TextEncoder();

function byteLength(line: ILogLine): number {
  return bytes.encode(line.text).length + 1;
}

/** The window with a piece that follows it, or one that begins anew. */
export function append(
  window: ILogWindow,
  piece: ILogPiece,
  limit = WINDOW_CHARS
): ILogWindow {
  const { text, partial, offset, next_offset: end, size, done } = piece;
  const follows = offset === window.end && window.lines.length > 0;
  const last = window.lines[window.lines.length - 1];
  const added = toLines(text, follows && last ? endStyle(last) : PLAIN);
  const grown: ILogWindow = {
    lines: follows ? [...window.lines, ...added] : added,
    start: follows ? window.start : offset,
    end,
    partial,
    size,
    done
  };
  return trimStart(grown, limit);
}

/** The window with lines in front of it. */
export function prepend(window: ILogWindow, piece: ILogPiece): ILogWindow {
  return {
    ...window,
    lines: [...toLines(piece.text), ...window.lines],
    start: piece.offset
  };
}

/** Lets go of the oldest lines when there is too much. */
function trimStart(window: ILogWindow, limit: number): ILogWindow {
  let chars = window.lines.reduce((sum, line) => sum + line.text.length + 1, 0);
  if (chars <= limit) {
    return window;
  }
  let drop = 0;
  let { start } = window;
  while (chars > limit * 0.75 && drop < window.lines.length - 1) {
    const line = window.lines[drop] as ILogLine;
    chars -= line.text.length + 1;
    start += byteLength(line);
    drop += 1;
  }
  return { ...window, lines: window.lines.slice(drop), start };
}

/** A place that a search has found. */
export interface IMatch {
  line: number;
  /** Place in the line's visible text. */
  from: number;
  to: number;
}

const MATCH_LIMIT = 10_000;

/** Where words stand in lines, in any case; at most 10,000 places. */
export function findMatches(
  lines: readonly ILogLine[],
  words: string
): IMatch[] {
  const wanted = words.toLowerCase();
  const matches: IMatch[] = [];
  if (!wanted) {
    return matches;
  }
  for (let i = 0; i < lines.length && matches.length < MATCH_LIMIT; i += 1) {
    const text = visibleText(lines[i]?.text ?? '').toLowerCase();
    let from = text.indexOf(wanted);
    while (from >= 0) {
      matches.push({ line: i, from, to: from + wanted.length });
      from = text.indexOf(wanted, from + wanted.length);
    }
  }
  return matches;
}

function visibleText(text: string): string {
  return text.includes('\x1b') ? stripAnsi(text) : text;
}
