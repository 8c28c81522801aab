import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { unwrap, type ApiClient } from '../api/client';
import type { components } from '../api/schema';
import { tellFailure } from './notify';

type Folder = components['schemas']['MlflowFolder'];

/** What is needed to ask about the folder of a notebook. */
export interface IAskOptions {
  api: ApiClient;
  trans: TranslationBundle;
  /** Starts the notebook's kernel anew. */
  restart: () => Promise<unknown>;
}

/** Folders that were asked about since the page was loaded. */
const asked = new Set<string>();

/**
 * Where MLflow has kept runs beside the notebooks, asks once whether it shall log to the workspace from now on.
 *
 * @param path - The notebook, below the server's root.
 * @returns Whether there was something to ask.
 */
export async function askMlflowFolder(
  path: string,
  options: IAskOptions
): Promise<boolean> {
  const { api, trans } = options;
  const found = await unwrap(
    api.GET('/mlflow/folder', { params: { query: { path } } })
  );
  const { folder, logs_to, store } = found;
  if (logs_to !== 'undecided' || !store || asked.has(folder)) {
    return false;
  }
  asked.add(folder);
  const choose = (logsTo: 'workspace' | 'folder'): void =>
    void keep(found, logsTo, options);
  const place = folder ? `${folder}/${store}` : store;
  Notification.info(
    trans.__(
      'MLflow logs to “%1” in this notebook’s folder. Shall it log to the ML workspace from now on?',
      store
    ),
    {
      autoClose: false,
      actions: [
        {
          label: trans.__('Log to the workspace'),
          caption: trans.__('What is in %1 stays there', place),
          displayType: 'accent',
          callback: () => choose('workspace')
        },
        {
          label: trans.__('Keep %1', store),
          caption: trans.__('Do not ask about this folder again'),
          callback: () => choose('folder')
        }
      ]
    }
  );
  return true;
}

async function keep(
  { folder }: Folder,
  logsTo: 'workspace' | 'folder',
  { api, trans, restart }: IAskOptions
): Promise<void> {
  try {
    await unwrap(
      api.PUT('/mlflow/folder', { body: { path: folder, logs_to: logsTo } })
    );
  } catch (error) {
    asked.delete(folder);
    tellFailure(String(error instanceof Error ? error.message : error));
    return;
  }
  if (logsTo === 'folder') {
    return;
  }
  Notification.success(
    trans.__(
      'Kernels in %1 log to the workspace from their next start on.',
      folder || '/'
    ),
    {
      autoClose: false,
      actions: [
        {
          label: trans.__('Start this kernel anew'),
          caption: trans.__('Its variables are lost'),
          callback: () => void restart()
        }
      ]
    }
  );
}
