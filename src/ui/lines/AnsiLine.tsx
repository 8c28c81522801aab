import { memo, type CSSProperties, type ReactNode } from 'react';

import {
  parseAnsi,
  type AnsiColor,
  type IAnsiSegment,
  type IAnsiStyle
} from '../../lib/ansi';
import type { ITextLine } from '../../lib/textLines';

/** A marked place of a line. */
export interface IMark {
  from: number;
  to: number;
  current: boolean;
}

/** A longer line is cut on the page; a download has all of it. */
const LINE_CHARS = 20_000;

/** One line: coloured spans, never HTML. */
export const AnsiLine = memo(function AnsiLine(props: {
  line: ITextLine;
  marks?: readonly IMark[];
}): JSX.Element {
  const { line, marks = [] } = props;
  const cut = line.text.length > LINE_CHARS;
  const text = cut ? `${line.text.slice(0, LINE_CHARS)} …` : line.text;
  const { segments } = parseAnsi(text, line.style);
  let at = 0;
  return (
    <>
      {segments.map((segment, i) => {
        const from = at;
        at += segment.text.length;
        return (
          <Segment key={i} segment={segment}>
            {marked(segment.text, from, marks)}
          </Segment>
        );
      })}
    </>
  );
});

function Segment(props: {
  segment: IAnsiSegment;
  children: ReactNode;
}): JSX.Element {
  const { style } = props.segment;
  const className = classes(style);
  const colors = colorStyle(style);
  return className || colors ? (
    <span className={className} style={colors}>
      {props.children}
    </span>
  ) : (
    <>{props.children}</>
  );
}

/** The text with the found places in <mark>. */
function marked(
  text: string,
  start: number,
  marks: readonly IMark[]
): ReactNode {
  const inside = marks.filter(
    ({ from, to }) => from < start + text.length && to > start
  );
  if (inside.length === 0) {
    return text;
  }
  const parts: ReactNode[] = [];
  let at = 0;
  for (const { from, to, current } of inside) {
    const a = Math.max(0, from - start);
    const b = Math.min(text.length, to - start);
    parts.push(
      text.slice(at, a),
      <mark key={from} data-current={current || undefined}>
        {text.slice(a, b)}
      </mark>
    );
    at = b;
  }
  parts.push(text.slice(at));
  return parts;
}

/** Which of the two colours the front has: "inverse" swaps them. */
function colorsOf(style: IAnsiStyle): [AnsiColor | null, AnsiColor | null] {
  return style.inverse ? [style.bg, style.fg] : [style.fg, style.bg];
}

function classes(style: IAnsiStyle): string {
  const [fg, bg] = colorsOf(style);
  return [
    typeof fg === 'number' && `jp-mlws-ansi-fg-${fg}`,
    typeof bg === 'number' && `jp-mlws-ansi-bg-${bg}`,
    style.inverse && fg === null && 'jp-mlws-ansi-inverse-fg',
    style.inverse && bg === null && 'jp-mlws-ansi-inverse-bg',
    style.bold && 'jp-mlws-ansi-bold',
    style.dim && 'jp-mlws-ansi-dim',
    style.italic && 'jp-mlws-ansi-italic',
    style.underline && 'jp-mlws-ansi-underline',
    style.strike && 'jp-mlws-ansi-strike'
  ]
    .filter(Boolean)
    .join(' ');
}

/** The program's own colours, as far as they are none of the theme's 16. */
function colorStyle(style: IAnsiStyle): CSSProperties | undefined {
  const [fg, bg] = colorsOf(style);
  return typeof fg === 'string' || typeof bg === 'string'
    ? {
        ...(typeof fg === 'string' ? { color: fg } : {}),
        ...(typeof bg === 'string' ? { backgroundColor: bg } : {})
      }
    : undefined;
}
