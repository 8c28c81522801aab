import { parseAnsi, PLAIN, stripAnsi, type IAnsiStyle } from './ansi';

/** One line of a text that a program printed. */
export interface ITextLine {
  /** With its escape sequences. */
  text: string;
  /** The look at its beginning. */
  style: IAnsiStyle;
}

/** Lines of a text, each with the look that the ones before it left behind. */
export function toLines(text: string, style: IAnsiStyle = PLAIN): ITextLine[] {
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

const RESET = /^\x1b\[0?m/;

/** The look at a line's end. */
export function endStyle(line: ITextLine): IAnsiStyle {
  const { text, style } = line;
  const last = text.lastIndexOf('\x1b');
  if (last < 0) {
    return style;
  }
  // Nearly all coloured lines end with a reset: nothing before it counts.
  return RESET.test(text.slice(last, last + 4))
    ? PLAIN
    : parseAnsi(text, style).end;
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
  lines: readonly ITextLine[],
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
