import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type RefObject } from 'react';

import { useTrans } from '../../../ui';
import { AnsiLine, type IMark } from './AnsiLine';
import type { ILogLine, IMatch } from './logWindow';

const LINE_HEIGHT = 18;
/** Closer to the end than this counts as being there, in px. */
const NEAR_END = 24;

export interface ILogLinesProps {
  lines: readonly ILogLine[];
  /** Byte offset of the first line: it tells lines in front from lines behind. */
  start: number;
  wrap: boolean;
  /** Stay at the end as lines come. */
  follow: boolean;
  onFollow: (follow: boolean) => void;
  matches: readonly IMatch[];
  /** Index of the match to be shown, −1 for none. */
  current: number;
  onTop: () => void;
}

/** The lines in sight. Scrolling up lets go of the end; scrolling down to it takes hold again. */
export function LogLines(props: ILogLinesProps): JSX.Element {
  const { lines, start, wrap, follow, matches, current } = props;
  const trans = useTrans();
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 30
  });
  const total = virtualizer.getTotalSize();
  const marks = useMarks(matches, current);

  useEffect(() => {
    if (follow && lines.length > 0) {
      virtualizer.scrollToIndex(lines.length - 1, { align: 'end' });
    }
  }, [follow, lines, total, virtualizer]);

  useKeptPlace(start, lines, index =>
    virtualizer.scrollToIndex(index, { align: 'start' })
  );

  const place = matches[current]?.line;
  useEffect(() => {
    if (place !== undefined) {
      virtualizer.scrollToIndex(place, { align: 'center' });
    }
  }, [place, virtualizer]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (element && element.scrollTop < LINE_HEIGHT) {
      props.onTop();
    }
  };
  return (
    <div
      ref={scroller}
      className="jp-mlws-log-scroller"
      role="log"
      aria-label={trans.__('Log')}
      aria-live="off"
      data-wrap={wrap || undefined}
      // Reachable, so that the keyboard can scroll it.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onScroll={onScroll}
      {...useFollowing(scroller, props.onFollow)}
    >
      <div className="jp-mlws-log-lines" style={{ height: total }}>
        {virtualizer.getVirtualItems().map(item => {
          const line = lines[item.index];
          return (
            line && (
              <div
                key={item.index}
                ref={wrap ? virtualizer.measureElement : undefined}
                data-index={item.index}
                className="jp-mlws-log-line"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <AnsiLine line={line} marks={marks.get(item.index)} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** The marks of each line. */
function useMarks(
  matches: readonly IMatch[],
  current: number
): ReadonlyMap<number, readonly IMark[]> {
  return useMemo(() => {
    const marks = new Map<number, IMark[]>();
    matches.forEach(({ line, from, to }, i) => {
      const list = marks.get(line) ?? [];
      list.push({ from, to, current: i === current });
      marks.set(line, list);
    });
    return marks;
  }, [matches, current]);
}

/** After lines came in front, the line that stood first stays where it was. */
function useKeptPlace(
  start: number,
  lines: readonly ILogLine[],
  scrollTo: (index: number) => void
): void {
  const before = useRef({ start, first: lines[0] });
  useEffect(() => {
    const { start: old, first } = before.current;
    if (start < old && first) {
      const index = lines.indexOf(first);
      if (index > 0) {
        scrollTo(index);
      }
    }
    before.current = { start, first: lines[0] };
  });
}

/**
 * Follows what the user does, not what the page does: a wheel, a key or a drag of the bar may leave the
 * end or come back to it.
 */
function useFollowing(
  scroller: RefObject<HTMLDivElement>,
  onFollow: (follow: boolean) => void
): {
  onWheel: () => void;
  onKeyUp: () => void;
  onPointerUp: () => void;
  onTouchEnd: () => void;
} {
  const look = (): void => {
    window.requestAnimationFrame(() => {
      const element = scroller.current;
      if (element) {
        const left =
          element.scrollHeight - element.scrollTop - element.clientHeight;
        onFollow(left < NEAR_END);
      }
    });
  };
  return { onWheel: look, onKeyUp: look, onPointerUp: look, onTouchEnd: look };
}
