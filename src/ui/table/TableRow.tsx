import { memo, type MouseEvent, type ReactNode } from 'react';

import { formatNumber, formatNumberFull } from '../../lib/format';
import { useTrans } from '../trans';
import type { IDataColumn } from './columns';

interface ITableRowProps<Row> {
  id: string;
  row: Row;
  columns: readonly IDataColumn<Row>[];
  /** Widths of the columns in px, in order, as one string: a new array would defeat the memo. */
  widths: string;
  index: number;
  top: number;
  active: boolean;
  /** undefined where rows cannot be selected. */
  selected: boolean | undefined;
  onActivate: (index: number) => void;
  onOpen: (index: number) => void;
  onToggle: (index: number) => void;
}

function content<Row>(column: IDataColumn<Row>, row: Row): ReactNode {
  if (column.cell) {
    return column.cell(row);
  }
  const value = column.value(row);
  return typeof value === 'number' ? formatNumber(value) : String(value ?? '–');
}

function hover<Row>(column: IDataColumn<Row>, row: Row): string | undefined {
  if (column.title) {
    return column.title(row);
  }
  const value = column.value(row);
  if (typeof value === 'number') {
    return formatNumberFull(value);
  }
  return typeof value === 'string' ? value : undefined;
}

/** A click on a link or control in a cell is for that alone. */
function isControl(event: MouseEvent): boolean {
  return (event.target as HTMLElement).closest('a, button, input') !== null;
}

function TableRowBase<Row>(props: ITableRowProps<Row>): JSX.Element {
  const { id, row, columns, index, active, selected } = props;
  const trans = useTrans();
  const widths = props.widths.split(',').map(Number);
  const offset = selected === undefined ? 1 : 2;
  return (
    // Keys are handled by the grid, whose active descendant this is.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
    <div
      role="row"
      id={id}
      aria-rowindex={index + 2}
      aria-selected={selected ?? active}
      className="jp-mlws-table-row"
      data-active={active}
      style={{ transform: `translateY(${props.top}px)` }}
      onClick={event => !isControl(event) && props.onActivate(index)}
      onDoubleClick={event => !isControl(event) && props.onOpen(index)}
    >
      {selected !== undefined && (
        <div
          role="gridcell"
          aria-colindex={1}
          className="jp-mlws-table-cell jp-mlws-table-check"
        >
          <input
            type="checkbox"
            tabIndex={-1}
            checked={selected}
            aria-label={trans.__('Select row %1', index + 1)}
            onChange={() => props.onToggle(index)}
          />
        </div>
      )}
      {columns.map((column, i) => (
        <div
          key={column.id}
          role="gridcell"
          aria-colindex={i + offset}
          className={`jp-mlws-table-cell jp-mlws-ellipsis${column.align === 'end' ? ' jp-mlws-end' : ''}`}
          style={{ width: widths[i] }}
          title={hover(column, row)}
        >
          {content(column, row)}
        </div>
      ))}
    </div>
  );
}

/** One row; drawn again only when something of its own changes. */
export const TableRow = memo(TableRowBase) as typeof TableRowBase;
