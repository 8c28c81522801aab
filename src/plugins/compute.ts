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
    addComputeCommands(commands, trans, {
      show: () => shell.activateById(COMPUTE_ID),
      open: name => pages.open(`compute/${name}`)
    });
    const category = trans.__('ML Workspace');
    for (const [command, args] of [
      [ComputeCommands.show, { isPalette: true }],
      [ComputeCommands.open, { name: 'local' }]
    ] as const) {
      palette?.addItem({ command, args, category });
    }
  }
};
