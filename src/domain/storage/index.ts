export { DiffView } from './DiffView';
export { OutputsTab, type IOutputsTabProps } from './OutputsTab';
export { SnapshotTab, type ISnapshotTabProps } from './SnapshotTab';
