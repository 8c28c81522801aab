import { useEffect, useRef, type FocusEvent } from 'react';

import { isReachable, type TreeRow } from './rows';

/**
 * The row that takes the focus of one that is gone: the next one that is still there, else the last before it.
 *
 * @returns −1 when the row is there, or none is left.
 */
export function successor(
  before: readonly TreeRow[],
  after: readonly TreeRow[],
  key: string
): number {
  const places = new Map(after.map((row, index) => [row.key, index]));
  const at = before.findIndex(row => row.key === key);
  if (at < 0 || places.has(key)) {
    return -1;
  }
  const others = [...before.slice(at + 1), ...before.slice(0, at).reverse()];
  const next = others.find(row => isReachable(row) && places.has(row.key));
  return next ? (places.get(next.key) ?? -1) : -1;
}

/** What the tree's element listens to. */
export interface IFocusHandlers {
  onFocus: (event: FocusEvent) => void;
  onBlur: (event: FocusEvent) => void;
}

/** Hands the focus on when the row that has it goes. */
export function useKeepFocus(
  rows: readonly TreeRow[],
  focus: (index: number) => void
): IFocusHandlers {
  const focused = useRef<string | null>(null);
  const before = useRef(rows);
  useEffect(() => {
    const old = before.current;
    before.current = rows;
    if (focused.current === null || old === rows) {
      return;
    }
    const next = successor(old, rows, focused.current);
    if (next >= 0) {
      focus(next);
    }
  });
  return {
    onFocus: ({ target }) => {
      const row = target.closest<HTMLElement>('[data-key]');
      focused.current = row?.dataset['key'] ?? null;
    },
    onBlur: ({ target }) => {
      // A row that goes is blurred, too; only one that stays was left.
      window.setTimeout(() => {
        if (target.isConnected && document.activeElement !== target) {
          focused.current = keyOf(document.activeElement);
        }
      });
    }
  };
}

function keyOf(element: Element | null): string | null {
  const row = element?.closest<HTMLElement>('.jp-mlws-tree [data-key]');
  return row?.dataset['key'] ?? null;
}
