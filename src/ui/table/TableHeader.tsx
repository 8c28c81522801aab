import type { ReactTable } from '@tanstack/react-table';

import { useTrans } from '../trans';
import type { Features, IDataColumn } from './columns';
import { HeaderCell } from './HeaderCell';

interface ITableHeaderProps<Row extends object> {
  table: ReactTable<Features, Row>;
  columns: readonly IDataColumn<Row>[];
  widths: readonly number[];
  /** Whether a column of checkboxes stands first. */
  checks: boolean;
}

/** The head of a table; it stays in sight while the rows scroll. */
export function TableHeader<Row extends object>(
  props: ITableHeaderProps<Row>
): JSX.Element {
  const { table, columns, widths, checks } = props;
  const trans = useTrans();
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  return (
    <div role="row" aria-rowindex={1} className="jp-mlws-table-header">
      {checks && (
        <div
          role="columnheader"
          aria-colindex={1}
          className="jp-mlws-table-cell jp-mlws-table-check"
        >
          <span className="jp-mlws-sr-only">{trans.__('Selected')}</span>
        </div>
      )}
      {headers.map((header, i) => {
        const column = columns[i];
        return (
          column && (
            <HeaderCell
              key={header.id}
              header={header}
              index={checks ? i + 1 : i}
              label={column.header}
              end={column.align === 'end'}
              sorted={header.column.getIsSorted()}
              width={widths[i] ?? 0}
              onResize={width =>
                table.setColumnSizing(sizes => ({
                  ...sizes,
                  [column.id]: Math.max(column.minWidth ?? 48, width)
                }))
              }
            />
          )
        );
      })}
    </div>
  );
}
