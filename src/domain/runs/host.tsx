import { createContext, useContext, type ComponentType } from 'react';

import type { ISavedNotebook, NotebookView } from '../notebooks';

/** What the run page needs of the Lab; the shell gives it. */
export interface IRunHost {
  /** Draws Markdown by the Lab's renderer, untrusted. */
  Markdown: ComponentType<{ source: string }>;
  /** Draws a notebook by the Lab itself. */
  Notebook: NotebookView;
  /** Saves a copy beside the source and opens it. */
  openCopy: (copy: ISavedNotebook) => Promise<void>;
  /** Opens a file of the server's root. */
  openFile: (path: string) => void;
  /** Opens a console on a kernel that Jupyter's server has. */
  openConsole: (kernelId: string) => Promise<void>;
}

const HostContext = createContext<IRunHost | null>(null);

/** Hands the Lab to a run page. */
export const RunHostProvider = HostContext.Provider;

/** What the Lab offers to the page. */
export function useRunHost(): IRunHost {
  const host = useContext(HostContext);
  if (!host) {
    throw new Error('useRunHost outside of a RunHostProvider');
  }
  return host;
}
