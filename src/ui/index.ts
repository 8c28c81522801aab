export {
  LineChart,
  useThemeVersion,
  type ILineChartProps,
  type ILineSeries
} from './chart';
export { copyText } from './clipboard';
export { ConfirmDeletion, type IConfirmDeletionProps } from './ConfirmDeletion';
export { CopyButton, type ICopyButtonProps } from './CopyButton';
export { CsvButton, type ICsvButtonProps } from './CsvButton';
export { EmptyState, type IEmptyStateProps } from './EmptyState';
export { ErrorNotice, type IErrorNoticeProps } from './ErrorNotice';
export { errorSentence } from './errorText';
export * from './form';
export { IconButton, type IIconButtonProps } from './IconButton';
export { pauseIcon } from './icons';
export { AnsiLine, TextLines } from './lines';
export {
  PageLink,
  PagesProvider,
  useOpenPage,
  type IPageLinkProps,
  type OpenPage
} from './PageLink';
export { RelativeTime } from './RelativeTime';
export { Skeleton, type ISkeletonProps } from './Skeleton';
export { StaleNotice, type IStaleNoticeProps } from './StaleNotice';
export {
  StatusBadge,
  statusLabel,
  type IStatusBadgeProps
} from './StatusBadge';
export { RUN_STATUSES, StatusIcon, type RunStatus } from './statusIcons';
export {
  DataTable,
  type IDataColumn,
  type IDataTableProps,
  type SortingState
} from './table';
export { Tabs, type ITab, type ITabsProps } from './Tabs';
export { useFocusBack } from './useFocusBack';
export {
  TRANSLATION_DOMAIN,
  TransProvider,
  useLocale,
  useTrans
} from './trans';
