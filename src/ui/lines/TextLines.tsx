import { useVirtualizer } from '@tanstack/react-virtual';
import {
  useCallback,
  useEffect,
  useRef,
  type CSSProperties,
  type RefObject,
  type WheelEvent
} from 'react';

import { findMatches, type ITextLine } from '../../lib/textLines';
import { AnsiLine, type IMark } from './AnsiLine';

const LINE_HEIGHT = 18;
/** Closer to an edge than this counts as being there, in px. */
const NEAR = 24;

export interface ITextLinesProps {
  lines: readonly ITextLine[];
  /** Number of the first line: it tells lines that came in front from those that came behind. */
  base: number;
  /** What the lines are, for screen readers. */
  label: string;
  wrap: boolean;
  /** Stay at the end as lines come. */
  follow?: boolean;
  /** Somebody left the end, or came back to it. */
  onFollow?: (follow: boolean) => void;
  /** Words to be marked. */
  words?: string;
  /** Number of the line to be shown, null for none; a new object shows it again. */
  target?: { line: number } | null;
  onTop?: () => void;
  onBottom?: () => void;
  style?: CSSProperties;
}

/** The lines in sight, of however many. What stands at the top stays there while lines come and go. */
export function TextLines(props: ITextLinesProps): JSX.Element {
  const { lines, base, wrap, follow = false, words = '', target } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: lines.length,
    getScrollElement: () => scroller.current,
    getItemKey: useCallback((index: number) => base + index, [base]),
    estimateSize: () => LINE_HEIGHT,
    // Keeps the place of what is read when lines come in front or are let go.
    anchorTo: 'end',
    overscan: 30
  });
  const total = virtualizer.getTotalSize();

  useEffect(() => {
    if (follow && lines.length > 0) {
      virtualizer.scrollToIndex(lines.length - 1, { align: 'end' });
    }
  }, [follow, lines, total, virtualizer]);

  const first = useRef(base);
  first.current = base;
  useEffect(() => {
    if (target) {
      virtualizer.scrollToIndex(target.line - first.current, {
        align: 'center'
      });
    }
  }, [target, virtualizer]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (element && element.scrollTop < NEAR) {
      props.onTop?.();
    } else if (element && leftBelow(element) < NEAR) {
      props.onBottom?.();
    }
  };
  return (
    <div
      ref={scroller}
      className="jp-mlws-lines"
      role="log"
      aria-label={props.label}
      aria-live="off"
      data-wrap={wrap || undefined}
      style={props.style}
      // Reachable, so that the keyboard can scroll it.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onScroll={onScroll}
      {...useFollowing(scroller, props.onFollow)}
    >
      <div className="jp-mlws-lines-all" style={{ height: total }}>
        {virtualizer.getVirtualItems().map(item => {
          const line = lines[item.index];
          return (
            line && (
              <div
                key={item.key}
                ref={wrap ? virtualizer.measureElement : undefined}
                data-index={item.index}
                className="jp-mlws-text-line"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <AnsiLine
                  line={line}
                  marks={marksOf(line, words, item.key === target?.line)}
                />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

const NO_MARKS: readonly IMark[] = [];

/** The words in a line; the first of the line that was looked for is marked as such. */
function marksOf(
  line: ITextLine,
  words: string,
  sought: boolean
): readonly IMark[] {
  return words
    ? findMatches([line], words).map(({ from, to }, i) => ({
        from,
        to,
        current: sought && i === 0
      }))
    : NO_MARKS;
}

function leftBelow(element: HTMLElement): number {
  return element.scrollHeight - element.scrollTop - element.clientHeight;
}

/**
 * Follows what the user does, not what the page does: a wheel, a key or a drag of the bar may leave the
 * end or come back to it.
 */
function useFollowing(
  scroller: RefObject<HTMLDivElement>,
  onFollow: ((follow: boolean) => void) | undefined
): {
  onWheel: (event: WheelEvent) => void;
  onKeyUp: () => void;
  onPointerUp: () => void;
  onTouchEnd: () => void;
} {
  const look = (): void => {
    window.requestAnimationFrame(() => {
      const element = scroller.current;
      if (element) {
        onFollow?.(leftBelow(element) < NEAR);
      }
    });
  };
  return {
    onWheel: event => {
      // The scrolling itself may come later than the next frame, and lines that come before it would undo it.
      if (event.deltaY < 0 && (scroller.current?.scrollTop ?? 0) > 0) {
        onFollow?.(false);
      } else {
        look();
      }
    },
    onKeyUp: look,
    onPointerUp: look,
    onTouchEnd: look
  };
}
