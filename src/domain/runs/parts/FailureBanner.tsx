import { AnsiLine, CopyButton, useTrans } from '../../../ui';
import { stripAnsi } from '../../../lib/ansi';
import { toLines } from '../../../lib/textLines';
import { endReason, failurePlace } from '../format';
import type { Run } from '../types';

/** What failed, where, and the traceback for who wants it. */
export function FailureBanner(props: {
  run: Run;
  onShowCell: (cell: number) => void;
}): JSX.Element | null {
  const { run, onShowCell } = props;
  const { error, status, reason, kind: runKind } = run;
  const trans = useTrans();
  if (status !== 'Failed' && status !== 'NotResponding') {
    return null;
  }
  const cell = error?.cell;
  return (
    <div className="jp-mlws-failure" role="alert">
      <div className="jp-mlws-failure-head">
        <strong>
          {error ? failurePlace(error, trans) : trans.__('The run failed')}
        </strong>
        {runKind === 'notebook' && typeof cell === 'number' && (
          <button
            type="button"
            className="jp-mlws-link"
            onClick={() => onShowCell(cell)}
          >
            {trans.__('Show the cell')}
          </button>
        )}
        {error && (
          <CopyButton
            label={trans.__('Copy the error')}
            text={() =>
              stripAnsi(`${error.message}\n\n${error.traceback ?? ''}`).trim()
            }
          />
        )}
      </div>
      <div className="jp-mlws-failure-message">
        {error ? withKind(error.kind, error.message) : endReason(reason, trans)}
      </div>
      {error?.traceback && <Traceback text={error.traceback} />}
    </div>
  );
}

function withKind(kind: string | null | undefined, message: string): string {
  return kind && !message.startsWith(kind) ? `${kind}: ${message}` : message;
}

function Traceback(props: { text: string }): JSX.Element {
  const trans = useTrans();
  return (
    <details>
      <summary>{trans.__('Traceback')}</summary>
      <pre
        className="jp-mlws-traceback"
        aria-label={trans.__('Traceback')}
        // Reachable, so that the keyboard can scroll it.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        {toLines(props.text).map((line, i) => (
          <div key={i}>
            <AnsiLine line={line} />
          </div>
        ))}
      </pre>
    </details>
  );
}
