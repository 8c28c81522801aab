import type { SortingState } from '@tanstack/react-table';
import { useId, type ReactNode } from 'react';

import type { IDataColumn } from './columns';
import { TableHeader } from './TableHeader';
import { TableRow } from './TableRow';
import { ROW_HEIGHT, useDataTable } from './useDataTable';
import { useRowActions } from './useRowActions';

export interface IDataTableProps<Row extends object> {
  /** What the table lists, for screen readers. */
  label: string;
  /** Keep the array between renders: a new one sets up all columns anew. */
  columns: readonly IDataColumn<Row>[];
  /** Keep the array between renders too: a new one is sorted anew. */
  rows: readonly Row[];
  rowId: (row: Row) => string;
  /** Enter or a double click on a row. */
  onOpen?: (row: Row) => void;
  /** A row became the active one, by arrow or click. */
  onActivate?: (row: Row) => void;
  /** The order when the server sorts; without it the table sorts by itself. */
  sorting?: SortingState;
  onSortingChange?: (sorting: SortingState) => void;
  initialSorting?: SortingState;
  /** With these two, rows have checkboxes, and Space toggles. */
  selected?: ReadonlySet<string>;
  onSelectedChange?: (selected: ReadonlySet<string>) => void;
  /** Shown below the head when there are no rows. */
  empty?: ReactNode;
}

/**
 * A virtual, sortable table of 28 px rows with resizable columns. It fills the height of its parent.
 * Arrows, Page, Home and End move; Enter opens; Space selects.
 */
export function DataTable<Row extends object>(
  props: IDataTableProps<Row>
): JSX.Element {
  const { columns, selected, empty } = props;
  const { table, scroller, virtualizer, widths } = useDataTable(props);
  const prefix = useId();
  const rows = table.getRowModel().rows;
  const { active, onKeyDown, ...actions } = useRowActions({
    rows,
    rowHeight: ROW_HEIGHT,
    selected,
    onSelectedChange: props.onSelectedChange,
    onOpen: props.onOpen,
    onActivate: props.onActivate,
    scrollTo: index => virtualizer.scrollToIndex(index)
  });
  const shown = virtualizer.getVirtualItems();
  const activeShown = shown.some(item => item.index === active);

  return (
    <div className="jp-mlws-table-frame">
      <div
        ref={scroller}
        role="grid"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + (selected ? 1 : 0)}
        aria-multiselectable={selected ? true : undefined}
        aria-activedescendant={activeShown ? `${prefix}-${active}` : undefined}
        className="jp-mlws-table"
        onKeyDown={onKeyDown}
      >
        <TableHeader
          table={table}
          columns={columns}
          widths={widths}
          checks={selected !== undefined}
        />
        <div
          role="rowgroup"
          className="jp-mlws-table-body"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {shown.map(({ index, start }) => {
            const row = rows[index];
            return (
              row && (
                <TableRow
                  key={row.id}
                  id={`${prefix}-${index}`}
                  row={row.original}
                  columns={columns}
                  widths={widths.join()}
                  index={index}
                  top={start}
                  active={index === active}
                  selected={selected?.has(row.id)}
                  onActivate={actions.activate}
                  onOpen={actions.open}
                  onToggle={actions.toggle}
                />
              )
            );
          })}
        </div>
      </div>
      {rows.length === 0 && empty}
    </div>
  );
}
