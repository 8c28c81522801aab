import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { Run } from '../domain/runs';
import { runAddress } from '../lib/address';
import {
  IMlwsPages,
  IMlwsSettings,
  IMlwsSidebar,
  IWorkspaceConnection
} from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** How long the good news stands, in ms; a failure stands until it is closed. */
const SHOWN_MS = 10_000;

/** Tells when a job that this user submitted has ended. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:notifications',
  description: 'Tells when a job has ended.',
  autoStart: true,
  requires: [IWorkspaceConnection, IMlwsPages, IMlwsSidebar, IMlwsSettings],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    pages: IMlwsPages,
    sidebar: IMlwsSidebar,
    settings: IMlwsSettings,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { workspace } = sidebar;
    const follow = async (): Promise<void> => {
      await app.restored;
      const { claimEnding, endingText, JobWatcher } =
        await import('../domain/jobs');
      const tell = async (run: Run): Promise<void> => {
        const ending = endingText(run, trans);
        if (
          !ending ||
          !settings.get().notifyWhenJobsEnd ||
          !(await claimEnding(run.id))
        ) {
          return;
        }
        Notification.emit(ending.text, ending.type, {
          autoClose: ending.type === 'error' ? false : SHOWN_MS,
          actions: [
            {
              label: trans.__('Open run'),
              caption: run.name,
              callback: () => pages.open(runAddress(run.id))
            }
          ]
        });
      };
      const watcher = new JobWatcher(connection, run => void tell(run));
      watcher.watch(workspace.get());
      workspace.subscribe(() => watcher.watch(workspace.get()));
    };
    void follow();
  }
};
