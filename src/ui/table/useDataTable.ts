import {
  useTable,
  type ReactTable,
  type SortingState
} from '@tanstack/react-table';
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState, type RefObject } from 'react';

import {
  features,
  toColumnDefs,
  type Features,
  type IDataColumn
} from './columns';

/** Height of a row and of the head, in px (UI.md rule 2). */
export const ROW_HEIGHT = 28;

interface IDataTableInput<Row> {
  columns: readonly IDataColumn<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  sorting?: SortingState;
  onSortingChange?: (sorting: SortingState) => void;
  initialSorting?: SortingState;
}

interface IDataTableState<Row extends object> {
  table: ReactTable<Features, Row>;
  scroller: RefObject<HTMLDivElement>;
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  /** Widths in px, in the order of the columns. */
  widths: number[];
}

/** TanStack's table (order, widths) and virtualizer (which rows are on screen), set up together. */
export function useDataTable<Row extends object>(
  input: IDataTableInput<Row>
): IDataTableState<Row> {
  const { columns, rows, rowId, sorting, onSortingChange } = input;
  const [own, setOwn] = useState<SortingState>(input.initialSorting ?? []);
  const current = sorting ?? own;
  const defs = useMemo(() => toColumnDefs(columns), [columns]);
  const table = useTable<Features, Row>({
    features,
    columns: defs,
    data: rows,
    getRowId: rowId,
    columnResizeMode: 'onChange',
    // With `sorting` given, the server has ordered the rows already.
    manualSorting: sorting !== undefined,
    state: { sorting: current },
    onSortingChange: updater => {
      const next = typeof updater === 'function' ? updater(current) : updater;
      setOwn(next);
      onSortingChange?.(next);
    }
  });
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: table.getRowModel().rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    // The head takes a row's height from the window: the last row must not end below the edge.
    scrollPaddingEnd: ROW_HEIGHT,
    overscan: 8
  });
  const widths = columns.map(
    ({ id }) => table.getColumn(id)?.getSize() ?? ROW_HEIGHT
  );
  return { table, scroller, virtualizer, widths };
}
