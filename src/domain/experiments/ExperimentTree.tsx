import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';

import { useTrans } from '../../ui';
import { TreeItem } from './parts/TreeItem';
import { isReachable, type TreeRow } from './rows';
import { useKeepPlace } from './useKeepPlace';
import { useTreeActions } from './useTreeActions';
import type { ISidebarState } from './SidebarModel';

const ROW = 28;
/** Rows before the end at which the next page is fetched. */
const AHEAD = 30;

export interface IExperimentTreeProps {
  rows: readonly TreeRow[];
  state: ISidebarState;
  /** Near the end of what is listed. */
  onEnd: () => void;
  onRetry: (experimentId: string) => void;
}

/** Experiments and their latest runs; only the rows in sight stand in the page. */
export function ExperimentTree(props: IExperimentTreeProps): JSX.Element {
  const { rows, state, onEnd } = props;
  const trans = useTrans();
  const scroller = useRef<HTMLDivElement>(null);
  const selected = rows.findIndex(({ key }) => key === state.selected);
  const tabbable = selected >= 0 ? selected : rows.findIndex(isReachable);
  const virtualizer = useVirtualizer({
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
  const actions = useTreeActions({
    rows,
    onRetry: props.onRetry,
    focus: index => {
      virtualizer.scrollToIndex(index);
      // The row may come into the page only with the next frame.
      requestAnimationFrame(() =>
        scroller.current
          ?.querySelector<HTMLElement>(`[data-index-of="${index}"] > div`)
          ?.focus({ preventScroll: true })
      );
    }
  });
  const items = virtualizer.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - AHEAD) {
      onEnd();
    }
  }, [last, rows.length, onEnd]);
  useKeepPlace(scroller, rows, ROW);
  useReveal(state.reveals, selected, index =>
    virtualizer.scrollToIndex(index, { align: 'auto' })
  );
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
      >
        {items.map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <div key={row.key} role="none" data-index-of={index}>
                <TreeItem
                  row={row}
                  index={index}
                  top={start}
                  selected={index === selected}
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

/** Scrolls to the selected row once after it was asked for, when it is there. */
function useReveal(
  reveals: number,
  selected: number,
  scrollTo: (index: number) => void
): void {
  const done = useRef(reveals);
  useEffect(() => {
    if (reveals !== done.current && selected >= 0) {
      done.current = reveals;
      scrollTo(selected);
    }
  });
}
