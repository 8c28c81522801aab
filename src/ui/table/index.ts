export type { SortingState } from '@tanstack/react-table';

export type { IDataColumn } from './columns';
export { DataTable, type IDataTableProps } from './DataTable';
