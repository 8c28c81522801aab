import { Token } from '@lumino/coreutils';
import type { QueryClient } from '@tanstack/react-query';

import type { IServerAccess } from './api/context';
import type { Observable } from './lib/observable';

/** The connection that all panels of the workspace share. */
export interface IWorkspaceConnection extends IServerAccess {
  /** The one cache of server state. */
  queryClient: QueryClient;
  /** Name of the workspace that is looked at. */
  workspace: Observable<string>;
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
   * @param address - "runs/<id>", "runs/<id>/<tab>", "experiments/<id>", "compute/<name>", "workspaces/<name>" or
   * "workspaces/<name>/details".
   */
  open: (address: string) => void;
  /**
   * Says who shows the addresses that have no page of their own.
   *
   * @param show - Is given the id of an experiment, or the name of a workspace.
   */
  onPlace: (
    kind: 'experiments' | 'workspaces',
    show: (id: string) => Promise<void>
  ) => void;
}

/** For other extensions: opens the page of an address. */
export const IMlwsPages = new Token<IMlwsPages>(
  'jupyter-mlws:IMlwsPages',
  'Opens the pages of Jupyter ML Workspace by their addresses.'
);

/** What people may set; see schema/settings.json. */
export interface ISettingsValues {
  /** Tell when a job that I submitted has ended. */
  notifyWhenJobsEnd: boolean;
  /** The compute target that the submit form begins with. */
  defaultTarget: string;
  /** Ask before a snapshot of a very large folder. */
  confirmLargeSnapshots: boolean;
  /** How many runs an unfolded experiment shows at first. */
  sidebarRuns: number;
}

/** The settings, live. */
export type IMlwsSettings = Pick<
  Observable<ISettingsValues>,
  'get' | 'subscribe'
>;

/** For other extensions: the settings of the workspace's pages. */
export const IMlwsSettings = new Token<IMlwsSettings>(
  'jupyter-mlws:IMlwsSettings',
  'The settings of Jupyter ML Workspace.'
);

/** The sidebar "ML Experiments". */
export interface IMlwsSidebar {
  /** Name of the workspace that is looked at. */
  workspace: Observable<string>;
  /** Opens the sidebar. */
  show: () => void;
  /** Selects a run below its experiment. */
  reveal: (experimentId: string, runId: string) => void;
}

/** For other extensions: the sidebar, and the workspace that is looked at. */
export const IMlwsSidebar = new Token<IMlwsSidebar>(
  'jupyter-mlws:IMlwsSidebar',
  'The sidebar of Jupyter ML Workspace, and the workspace it looks at.'
);
