import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';

import { useTrans } from '../../ui';
import { diffCounts, parseUnified, type IDiffLine } from './diff';

const LINE_HEIGHT = 18;

const SIGN: Record<IDiffLine['kind'], string> = {
  add: '+',
  delete: '−',
  same: '',
  hunk: '',
  file: '',
  note: ''
};

/** A unified diff, one line a row; only the rows in sight exist. */
export function DiffView(props: {
  /** What is compared, for screen readers. */
  label: string;
  unified: string;
}): JSX.Element {
  const { label, unified } = props;
  const trans = useTrans();
  const lines = useMemo(() => parseUnified(unified), [unified]);
  const counts = useMemo(() => diffCounts(lines), [lines]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20
  });
  return (
    <div className="jp-mlws-diff">
      <div className="jp-mlws-diff-summary">
        {trans.__('%1 added, %2 removed', counts.added, counts.deleted)}
      </div>
      <div
        ref={scroller}
        className="jp-mlws-diff-scroller"
        role="region"
        aria-label={label}
        // Reachable, so that the keyboard can scroll it.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <div
          className="jp-mlws-diff-lines"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map(({ index, start }) => {
            const line = lines[index];
            return line && <DiffLine key={index} line={line} top={start} />;
          })}
        </div>
      </div>
    </div>
  );
}

function DiffLine(props: { line: IDiffLine; top: number }): JSX.Element {
  const { line, top } = props;
  return (
    <div
      className="jp-mlws-diff-line"
      data-kind={line.kind}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span className="jp-mlws-diff-number">{line.before}</span>
      <span className="jp-mlws-diff-number">{line.after}</span>
      <span className="jp-mlws-diff-sign">{SIGN[line.kind]}</span>
      <span className="jp-mlws-diff-text">{line.text}</span>
    </div>
  );
}
