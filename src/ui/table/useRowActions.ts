import { useMemo, useRef, useState, type KeyboardEvent } from 'react';

import { tableAction } from './keyboard';

interface IRowActionsInput<Row> {
  /** Ids in the order on screen. */
  rows: readonly { id: string; original: Row }[];
  rowHeight: number;
  selected: ReadonlySet<string> | undefined;
  onSelectedChange: ((selected: ReadonlySet<string>) => void) | undefined;
  onOpen: ((row: Row) => void) | undefined;
  onActivate: ((row: Row) => void) | undefined;
  scrollTo: (index: number) => void;
}

interface IRowActions {
  activate: (index: number) => void;
  open: (index: number) => void;
  toggle: (index: number) => void;
}

interface IRowState extends IRowActions {
  /** Index of the active row, −1 when there is none. */
  active: number;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/** The active row, opening, selecting, and the keys for all three. */
export function useRowActions<Row>(input: IRowActionsInput<Row>): IRowState {
  const [activeId, setActiveId] = useState<string | null>(null);
  const latest = useRef(input);
  latest.current = input;

  // The functions never change, so a row is not drawn again because its table was.
  const actions = useMemo<IRowActions>(
    () => ({
      activate: index => {
        const row = latest.current.rows[index];
        if (row) {
          setActiveId(row.id);
          latest.current.onActivate?.(row.original);
        }
      },
      open: index => {
        const row = latest.current.rows[index];
        if (row) {
          latest.current.onOpen?.(row.original);
        }
      },
      toggle: index => {
        const { rows, selected, onSelectedChange } = latest.current;
        const row = rows[index];
        if (row && selected) {
          onSelectedChange?.(toggled(selected, row.id));
        }
      }
    }),
    []
  );
  const active =
    activeId === null ? -1 : input.rows.findIndex(row => row.id === activeId);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const count = input.rows.length;
    const grid = event.currentTarget;
    if (event.target !== grid || event.ctrlKey || event.metaKey || !count) {
      return;
    }
    // One row less than fits, so that the eye has something to hold on to; the head takes one.
    const page = Math.max(
      1,
      Math.floor(grid.clientHeight / input.rowHeight) - 2
    );
    const action = tableAction(event.key, active, count, page);
    if (!action) {
      return;
    }
    event.preventDefault();
    if (action.kind === 'move') {
      actions.activate(action.to);
      input.scrollTo(action.to);
    } else {
      actions[action.kind](active);
    }
  };
  return { ...actions, active, onKeyDown };
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(set);
  if (!after.delete(id)) {
    after.add(id);
  }
  return after;
}
