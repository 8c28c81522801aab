import { useMemo } from 'react';

import { PLAIN } from '../../../lib/ansi';
import { toLines } from '../../../lib/textLines';
import { AnsiLine, TextLines, useTrans } from '../../../ui';

const LINE_HEIGHT = 18;
/** A longer text scrolls in a box of this height. */
const MOST_LINES = 26;

/** A few lines of a text. */
export function Excerpt(props: { text: string }): JSX.Element | null {
  const { text } = props;
  const line = useMemo(() => ({ text, style: PLAIN }), [text]);
  return text === '' ? null : (
    <pre className="jp-mlws-held-text">
      <AnsiLine line={line} />
    </pre>
  );
}

/** A long text: only the lines in sight are on the page. */
export function HeldText(props: { text: string }): JSX.Element {
  const lines = useMemo(() => toLines(props.text), [props.text]);
  const trans = useTrans();
  return (
    <div
      className="jp-mlws-held-box"
      style={{ height: Math.min(lines.length, MOST_LINES) * LINE_HEIGHT + 16 }}
    >
      <TextLines
        label={trans.__('Output')}
        lines={lines}
        base={0}
        wrap={false}
      />
    </div>
  );
}
