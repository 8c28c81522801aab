import { Token } from '@lumino/coreutils';
import type { QueryClient } from '@tanstack/react-query';

import type { IServerAccess } from './api/context';

/** The connection that all panels of the workspace share. */
export interface IWorkspaceConnection extends IServerAccess {
  /** The one cache of server state. */
  queryClient: QueryClient;
}

/** For other extensions: the workspace's typed client, change stream and query cache. */
export const IWorkspaceConnection = new Token<IWorkspaceConnection>(
  'jupyter-mlws:IWorkspaceConnection',
  'The typed client, change stream and query cache of Jupyter ML Workspace.'
);

/** Opens the workspace's pages. */
export interface IMlwsPages {
  /**
   * Opens a page, or shows the one that is open already.
   *
   * @param address - "runs/<id>", or "runs/<id>/<tab>".
   */
  open: (address: string) => void;
}

/** For other extensions: opens the page of an address. */
export const IMlwsPages = new Token<IMlwsPages>(
  'jupyter-mlws:IMlwsPages',
  'Opens the pages of Jupyter ML Workspace by their addresses.'
);
