export type { NotebookDocument } from './NotebookDocument';
export { NotebookTab, type INotebookTabProps } from './NotebookTab';
export type { NotebookOrigin } from './useNotebook';
export type { INotebookViewProps, ISavedNotebook, NotebookView } from './view';
