import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import {
  createApiClient,
  createPageUrlMaker,
  createUrlMaker
} from '../api/client';
// Other plugins begin with the connection.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { HintStream } from '../api/hints';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { bindHints, createQueryClient } from '../shell/queryClient';
import { createWorkspace } from '../shell/workspace';
import { IWorkspaceConnection } from '../tokens';

/** One client, one change stream and one query cache for the whole tab. */
export const connectionPlugin: JupyterFrontEndPlugin<IWorkspaceConnection> = {
  id: 'jupyter-mlws:connection',
  description: 'Connects panels to the ML workspace on the Jupyter server.',
  autoStart: true,
  provides: IWorkspaceConnection,
  activate: (app: JupyterFrontEnd): IWorkspaceConnection => {
    const settings = app.serviceManager.serverSettings;
    const queryClient = createQueryClient();
    const hints = new HintStream(settings);
    bindHints(hints, queryClient);
    // Not before the Lab stands: its own first requests go ahead of ours.
    void app.restored.then(() => hints.connect());
    return {
      api: createApiClient(settings),
      hints,
      queryClient,
      workspace: createWorkspace(),
      url: createUrlMaker(settings),
      pageUrl: createPageUrlMaker(settings)
    };
  }
};
