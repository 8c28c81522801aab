export type { NotebookDocument } from './NotebookDocument';
export type { NotebookOrigin } from './NotebookSource';
export { NotebookTab, type INotebookTabProps } from './NotebookTab';
export type {
  IHeldOutputView,
  INotebookViewProps,
  ISavedNotebook,
  NotebookView,
  PreferredType
} from './view';
