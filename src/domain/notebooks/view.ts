import type * as nbformat from '@jupyterlab/nbformat';
import type { ComponentType } from 'react';

import type { NotebookDocument } from './NotebookDocument';

/** What draws a notebook: the shell's, by the Lab itself. */
export interface INotebookViewProps {
  document: NotebookDocument;
  /** Index of the cell that runs, to be marked. */
  running: number | null;
  /** Index of the cell that failed, to be marked. */
  failed: number | null;
  /** Scroll to this cell; a new object scrolls again. */
  target: { cell: number } | null;
}

/** Draws a notebook that cannot be edited. */
export type NotebookView = ComponentType<INotebookViewProps>;

/** A notebook to be saved as a new file. */
export interface ISavedNotebook {
  /** Path of the notebook that it came from. */
  source: string;
  /** Goes into the new file's name. */
  label: string;
  content: nbformat.INotebookContent;
}
