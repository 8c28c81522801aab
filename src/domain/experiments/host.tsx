import { createContext, useContext } from 'react';

import type { SidebarModel } from './SidebarModel';

/** What the sidebar needs of the Lab; the plugin gives it. */
export interface ISidebarHost {
  model: SidebarModel;
  openRun: (id: string) => void;
  /** Asks for a notebook where none is open, then for its parameters. */
  runNotebook: () => void;
  /** Opens the menu of the sidebar, or of a row, at a place of the window. */
  openMenu: (x: number, y: number) => void;
  /** Moves a run to the bin, with a way back. */
  deleteRun: (id: string) => void;
  /** Why kernels of this server find nothing set for tracking; empty where they do. */
  untracked: string;
  /** How many runs an experiment shows at first; it can be set while the sidebar stands. */
  runsShown: {
    get: () => number;
    subscribe: (listener: () => void) => () => void;
  };
}

const HostContext = createContext<ISidebarHost | null>(null);

/** Hands the Lab to the sidebar. */
export const SidebarHostProvider = HostContext.Provider;

/** What the Lab offers to the sidebar. */
export function useSidebarHost(): ISidebarHost {
  const host = useContext(HostContext);
  if (!host) {
    throw new Error('useSidebarHost outside of a SidebarHostProvider');
  }
  return host;
}
