import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { lazy } from 'react';

import {
  addExperimentCommands,
  ExperimentCommands
} from '../commands/experiments';
import { experimentsIcon } from '../shell/icons';
// The panel must stand in the sidebar when the layout is restored; what it shows is loaded later.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { ReactPanel } from '../shell/reactPanel';
import { IWorkspaceConnection } from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** The panel's id in the Lab's layout. */
const PANEL_ID = 'jp-mlws-experiments';

/** Loaded when the sidebar is first shown. */
const ExperimentsPanel = lazy(async () => {
  const { ExperimentsPanel } = await import('../domain/experiments');
  return { default: ExperimentsPanel };
});

/** The sidebar "ML Experiments". */
export const experimentsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:experiments',
  description: 'Shows experiments and their runs in the left sidebar.',
  autoStart: true,
  requires: [IWorkspaceConnection],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { commands, shell } = app;
    const panel = new ReactPanel({
      id: PANEL_ID,
      caption: trans.__('ML Experiments'),
      icon: experimentsIcon,
      connection,
      translator,
      body: () => (
        <ExperimentsPanel
          onNewNotebook={() => void commands.execute('notebook:create-new')}
        />
      )
    });
    shell.add(panel, 'left', { rank: 600, type: 'ML Experiments' });
    restorer?.add(panel, PANEL_ID);
    addExperimentCommands(commands, trans, () => shell.activateById(PANEL_ID));
    palette?.addItem({
      command: ExperimentCommands.show,
      category: trans.__('ML Workspace')
    });
  }
};
