import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator } from '@jupyterlab/translation';

import { IMlwsSidebar, IWorkspaceConnection } from '../tokens';

const ITEM_ID = 'jupyter-mlws:jobs';

/** Running and queued jobs in the status bar. */
export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:statusbar',
  description: 'Shows running and queued jobs in the status bar.',
  autoStart: true,
  requires: [IStatusBar, IWorkspaceConnection, IMlwsSidebar],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    statusBar: IStatusBar,
    connection: IWorkspaceConnection,
    sidebar: IMlwsSidebar,
    translator: ITranslator | null
  ): void => {
    // The Lab's own first requests go ahead of ours.
    void app.restored.then(async () => {
      const { JobsStatusItem } = await import('../shell/jobsStatusItem');
      const item = new JobsStatusItem({
        connection,
        translator,
        workspace: sidebar.workspace,
        onClick: sidebar.show
      });
      statusBar.registerStatusItem(ITEM_ID, {
        item,
        align: 'left',
        rank: 10,
        isActive: item.isActive,
        activeStateChanged: item.activeStateChanged
      });
    });
  }
};
