import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IWorkspaceConnection } from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** Asks before MLflow logs to the workspace where it has logged to the notebook's folder so far. */
export const mlflowPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:mlflow',
  description: 'Asks where MLflow logs to in folders that have runs already.',
  autoStart: true,
  requires: [IWorkspaceConnection],
  optional: [INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    tracker: INotebookTracker | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { contents } = app.serviceManager;
    const look = async ({
      context,
      sessionContext
    }: NotebookPanel): Promise<void> => {
      await sessionContext.ready;
      // Another drive's files lie elsewhere, and without a kernel nothing logs.
      const kernel = sessionContext.session?.kernel;
      if (!kernel || contents.driveName(context.path)) {
        return;
      }
      const { askMlflowFolder } = await import('../shell/askMlflowFolder');
      await askMlflowFolder(contents.localPath(context.path), {
        api: connection.api,
        trans,
        restart: () => sessionContext.changeKernel({ name: kernel.name })
      });
    };
    tracker?.widgetAdded.connect((_, panel) => {
      // Nothing is lost where it cannot be asked: MLflow goes on as before.
      look(panel).catch(() => undefined);
    });
  }
};
