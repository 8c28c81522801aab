import {
  defaultRangeExtractor,
  useVirtualizer,
  type Virtualizer
} from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type RefObject } from 'react';

import { treePositions } from '../../lib/treePositions';
import { useTrans } from '../../ui';
import { TreeItem } from './parts/TreeItem';
import { isReachable, type TreeRow } from './rows';
import { useKeepFocus } from './useKeepFocus';
import { useKeepPlace } from './useKeepPlace';
import { useTreeActions } from './useTreeActions';
import type { IReveal, ISidebarState } from './SidebarModel';

const ROW = 28;
/** Rows before the end at which the next page is fetched. */
const AHEAD = 30;
/** How long the focus waits for its row: a sidebar that is just being opened has no height at first. */
const FRAMES = 30;

export interface IExperimentTreeProps {
  rows: readonly TreeRow[];
  state: ISidebarState;
  /** Near the end of what is listed, or what is looked for is not listed yet. */
  onEnd: () => void;
  onRetry: (experimentId: string) => void;
  onMoreRuns: () => void;
}

/** Experiments and their latest runs; only the rows in sight stand in the page. */
export function ExperimentTree(props: IExperimentTreeProps): JSX.Element {
  const { rows, state, onEnd } = props;
  const trans = useTrans();
  const scroller = useRef<HTMLDivElement>(null);
  const selected = rows.findIndex(({ key }) => key === state.selected);
  const tabbable = selected >= 0 ? selected : rows.findIndex(isReachable);
  const virtualizer = useRowsInSight(rows, tabbable, scroller);
  const focus = (index: number): void => {
    virtualizer.scrollToIndex(index);
    focusRow(scroller, rows[index]?.key ?? '', FRAMES);
  };
  const actions = useTreeActions({
    rows,
    onRetry: props.onRetry,
    onMoreRuns: props.onMoreRuns,
    focus
  });
  const keepFocus = useKeepFocus(rows, focus);
  const positions = useMemo(
    () => treePositions(rows.map(row => (isReachable(row) ? row.level : null))),
    [rows]
  );
  const items = virtualizer.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - AHEAD) {
      onEnd();
    }
  }, [last, rows.length, onEnd]);
  useKeepPlace(scroller, rows, ROW);
  useReveal(state.reveal, {
    index: selected,
    scrollTo: index => virtualizer.scrollToIndex(index, { align: 'auto' }),
    focus,
    loadMore: onEnd
  });
  const height = useMemo(
    () => ({ height: virtualizer.getTotalSize() }),
    [virtualizer, rows.length] // eslint-disable-line react-hooks/exhaustive-deps -- its size is that of its rows
  );
  return (
    <div ref={scroller} className="jp-mlws-tree-scroller">
      <div
        role="tree"
        aria-label={trans.__('Experiments and their runs')}
        className="jp-mlws-tree"
        style={height}
        {...keepFocus}
      >
        {items.map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <div key={row.key} role="none" data-key={row.key}>
                <TreeItem
                  row={row}
                  index={index}
                  top={start}
                  selected={index === selected}
                  pos={positions[index]?.pos}
                  setSize={positions[index]?.size}
                  tabbable={index === tabbable}
                  editing={row.key === state.editing}
                  onActivate={actions.activate}
                  onSelect={actions.select}
                  onKeyDown={actions.onKeyDown}
                />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** The rows to be drawn. */
function useRowsInSight(
  rows: readonly TreeRow[],
  tabbable: number,
  scroller: RefObject<HTMLDivElement>
): Virtualizer<HTMLDivElement, Element> {
  return useVirtualizer<HTMLDivElement, Element>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    getItemKey: index => rows[index]?.key ?? index,
    // The row with the focus must stand in the page, or the focus is lost while scrolling.
    rangeExtractor: range => {
      const shown = new Set(defaultRangeExtractor(range));
      if (tabbable >= 0) {
        shown.add(tabbable);
      }
      return [...shown].sort((a, b) => a - b);
    }
  });
}

/** The row may come into the page only with one of the next frames; its index may be another one then. */
function focusRow(
  scroller: RefObject<HTMLElement | null>,
  key: string,
  frames: number
): void {
  requestAnimationFrame(() => {
    const row = scroller.current?.querySelector<HTMLElement>(
      `[data-key="${CSS.escape(key)}"] > div`
    );
    if (row) {
      row.focus({ preventScroll: true });
    } else if (frames > 0) {
      focusRow(scroller, key, frames - 1);
    }
  });
}

interface IRevealInput {
  /** The selected row; −1 while it is not listed. */
  index: number;
  scrollTo: (index: number) => void;
  focus: (index: number) => void;
  loadMore: () => void;
}

/** Scrolls to the selected row once after it was asked for, as soon as it is there. */
function useReveal(wish: IReveal | null, input: IRevealInput): void {
  // A wish from before the tree was drawn is open still.
  const done = useRef<IReveal | null>(null);
  useEffect(() => {
    if (!wish || wish === done.current) {
      return;
    }
    if (input.index < 0) {
      input.loadMore();
      return;
    }
    done.current = wish;
    (wish.focus ? input.focus : input.scrollTo)(input.index);
  });
}
