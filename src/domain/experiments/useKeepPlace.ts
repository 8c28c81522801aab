import { useLayoutEffect, useRef, type RefObject } from 'react';

import type { TreeRow } from './rows';

/**
 * Keeps the rows in sight where they are when others come or go above them. At the very top new rows
 * push the others down, as people expect of a list of the newest.
 */
export function useKeepPlace(
  scroller: RefObject<HTMLElement | null>,
  rows: readonly TreeRow[],
  rowHeight: number
): void {
  const before = useRef(rows);
  useLayoutEffect(() => {
    const element = scroller.current;
    const old = before.current;
    before.current = rows;
    if (!element || old === rows || element.scrollTop === 0) {
      return;
    }
    const first = Math.floor(element.scrollTop / rowHeight);
    const places = new Map(rows.map(({ key }, index) => [key, index]));
    // The first row in sight may be one of those that went.
    for (let i = first; i < old.length; i += 1) {
      const now = places.get(old[i]?.key ?? '');
      if (now !== undefined) {
        if (now !== i) {
          element.scrollTop += (now - i) * rowHeight;
        }
        return;
      }
    }
  });
}
