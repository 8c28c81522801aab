import type * as nbformat from '@jupyterlab/nbformat';
import type { ComponentType, ReactNode } from 'react';

import type { NotebookDocument } from './NotebookDocument';

/** What draws a notebook: the shell's, by the Lab itself. */
export interface INotebookViewProps {
  document: NotebookDocument;
  /** How to draw what stands in the place of output that is held back. */
  held: IHeldOutputView;
  /** Index of the cell that runs, to be marked. */
  running: number | null;
  /** Index of the cell that failed, to be marked. */
  failed: number | null;
  /** Scroll to this cell; a new object scrolls again. */
  target: { cell: number } | null;
}

/** Draws the stand-ins of held outputs: the Lab knows nothing of them. */
export interface IHeldOutputView {
  /** Their MIME type. */
  type: string;
  /** The key in a stand-in. */
  keyOf: (data: Readonly<Record<string, unknown>>) => string | null;
  /**
   * Draws one.
   *
   * @param preferred - Which of some MIME types the Lab would show of an untrusted output.
   */
  render: (key: string, preferred: PreferredType) => ReactNode;
}

export type PreferredType = (types: readonly string[]) => string | undefined;

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
