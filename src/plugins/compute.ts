import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addComputeCommands, ComputeCommands } from '../commands/compute';
// The panel must stand in the sidebar when the layout is restored; what it shows is loaded later.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { COMPUTE_ID, createComputeSidebar } from '../shell/computeSidebar';
import { IMlwsPages, IWorkspaceConnection } from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** The sidebar "ML Compute". */
export const computePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:compute',
  description: 'Shows compute targets with their queues in the left sidebar.',
  autoStart: true,
  requires: [IWorkspaceConnection, IMlwsPages],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    pages: IMlwsPages,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { commands, shell } = app;
    const panel = createComputeSidebar({
      connection,
      translator,
      trans,
      open: pages.open
    });
    shell.add(panel, 'left', { rank: 610, type: 'ML Compute' });
    restorer?.add(panel, COMPUTE_ID);
    addComputeCommands(commands, trans, () => shell.activateById(COMPUTE_ID));
    palette?.addItem({
      command: ComputeCommands.show,
      args: { isPalette: true },
      category: trans.__('ML Workspace')
    });
  }
};
