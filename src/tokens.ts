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
