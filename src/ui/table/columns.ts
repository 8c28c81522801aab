import {
  columnResizingFeature,
  columnSizingFeature,
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  type ColumnDef
} from '@tanstack/react-table';
import type { ReactNode } from 'react';

import { compareValues, isBlank, type SortValue } from '../../lib/compare';

/** One column of a DataTable. */
export interface IDataColumn<Row> {
  id: string;
  header: string;
  /** What it is sorted by, and shown when there is no `cell`. */
  value: (row: Row) => SortValue;
  /** What is shown. */
  cell?: (row: Row) => ReactNode;
  /** The full value, shown on hover. */
  title?: (row: Row) => string | undefined;
  /** Numbers stand at the end, with tabular figures. */
  align?: 'start' | 'end';
  /** Width in px at first. */
  width?: number;
  minWidth?: number;
  /** False for a column that has no order. */
  sortable?: boolean;
  /** Descending first: metrics to maximize, times. */
  descFirst?: boolean;
}

export const features = tableFeatures({
  columnResizingFeature,
  columnSizingFeature,
  rowSortingFeature,
  sortedRowModel: createSortedRowModel()
});

export type Features = typeof features;

/** Our columns in TanStack's words. */
export function toColumnDefs<Row extends object>(
  columns: readonly IDataColumn<Row>[]
): ColumnDef<Features, Row>[] {
  return columns.map(column => ({
    id: column.id,
    header: column.header,
    size: column.width ?? 120,
    minSize: column.minWidth ?? 48,
    enableSorting: column.sortable !== false,
    sortDescFirst: column.descFirst ?? false,
    // Only undefined is kept last in both directions.
    sortUndefined: 'last',
    accessorFn: (row: Row) => {
      const value = column.value(row);
      return isBlank(value) ? undefined : value;
    },
    sortFn: (a, b, id) =>
      compareValues(a.getValue<SortValue>(id), b.getValue<SortValue>(id))
  }));
}
