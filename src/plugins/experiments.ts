import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

// Commands are registered at the start: menus and toolbars name them.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { addExperimentRowCommands } from '../commands/experimentRows';
import {
  addExperimentCommands,
  ExperimentCommands
} from '../commands/experiments';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { addRunCommands, RunCommands } from '../commands/runs';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { SubmitCommands } from '../commands/submit';
import {
  addWorkspaceCommands,
  WorkspaceCommands
} from '../commands/workspaces';
// Only the model and the calls of the commands; the panel itself is loaded later.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { ExperimentActions, SidebarModel } from '../domain/experiments';
import { runAddress, workspaceAddress } from '../lib/address';
// The forms in them are loaded later.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { RowDialogs } from '../shell/rowDialogs';
// The panel must stand in the sidebar when the layout is restored; what it shows is loaded later.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { createSidebar, SIDEBAR_ID } from '../shell/sidebar';
import { rememberSidebar } from '../shell/sidebarMemory';
import { openMenu, type MenuEntry } from '../shell/sidebarMenu';
// Only calls; small.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { showPlaces } from '../shell/sidebarPlaces';
import {
  IMlwsPages,
  IMlwsSettings,
  IMlwsSidebar,
  IWorkspaceConnection
} from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** The menu at the sidebar's head. */
const MENU: readonly MenuEntry[] = [
  { command: ExperimentCommands.view, args: { view: 'active' } },
  { command: ExperimentCommands.view, args: { view: 'archived' } },
  { command: ExperimentCommands.view, args: { view: 'bin' } },
  null,
  { command: WorkspaceCommands.manage },
  { command: ExperimentCommands.collapse },
  { command: 'settingeditor:open', args: { query: 'ML Workspace' } }
];

/** The sidebar "ML Experiments", and what can be done with its rows. */
export const experimentsPlugin: JupyterFrontEndPlugin<IMlwsSidebar> = {
  id: 'jupyter-mlws:experiments',
  description: 'Shows experiments and their runs in the left sidebar.',
  autoStart: true,
  requires: [IWorkspaceConnection, IMlwsPages, IMlwsSettings],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, IStateDB],
  provides: IMlwsSidebar,
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    pages: IMlwsPages,
    settings: IMlwsSettings,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    state: IStateDB | null
  ): IMlwsSidebar => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { commands, shell } = app;
    const model = new SidebarModel();
    const { workspace } = connection;
    const openRun = (id: string): void => pages.open(runAddress(id));
    const show = (): void => shell.activateById(SIDEBAR_ID);
    const panel = createSidebar({
      connection,
      translator,
      trans,
      open: pages.open,
      host: {
        model,
        openRun,
        runNotebook: () => void commands.execute(SubmitCommands.runNotebook),
        openMenu: (x, y) => openMenu(commands, MENU, x, y),
        deleteRun: id => void commands.execute(RunCommands.delete, { id }),
        untracked: PageConfig.getOption('mlwsUntracked'),
        runsShown: {
          get: () => settings.get().sidebarRuns,
          subscribe: settings.subscribe
        }
      }
    });
    shell.add(panel, 'left', { rank: 600, type: 'ML Experiments' });
    restorer?.add(panel, SIDEBAR_ID);
    const actions = new ExperimentActions(
      connection.api,
      connection.queryClient
    );
    showPlaces({
      api: connection.api,
      actions,
      model,
      workspace,
      pages,
      show,
      recalled: rememberSidebar(state, model, workspace)
    });
    const dialogs = new RowDialogs({ connection, translator }, trans, actions);
    const rows = { app, trans, actions, model };
    addExperimentCommands(commands, trans, { model, show });
    addWorkspaceCommands(commands, trans, () =>
      pages.open(workspaceAddress(workspace.get(), 'details'))
    );
    addRunCommands({
      ...rows,
      open: openRun,
      confirmPurge: dialogs.confirmPurge
    });
    addExperimentRowCommands({
      ...rows,
      editGoal: dialogs.editGoal,
      editRetention: dialogs.editRetention,
      confirmDelete: dialogs.confirmDelete
    });
    for (const command of [ExperimentCommands.show, WorkspaceCommands.manage]) {
      palette?.addItem({
        command,
        args: { isPalette: true },
        category: trans.__('ML Workspace')
      });
    }
    return { workspace, show, reveal: (...run) => model.reveal(...run) };
  }
};
