import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import {
  IDefaultFileBrowser,
  IFileBrowserFactory
} from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

// Commands are registered at the start: menus and toolbars name them.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { addSubmitCommands, SubmitCommands } from '../commands/submit';
import { runAddress } from '../lib/address';
import { NotebookFiles } from '../shell/notebookFiles';
import { tellWithLink } from '../shell/tellDone';
import {
  IMlwsPages,
  IMlwsSettings,
  IMlwsSidebar,
  IWorkspaceConnection
} from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** "Run as experiment", in the notebook's toolbar, the file browser, the menus and the palette. */
export const submitPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:submit',
  description: 'Runs notebooks as tracked experiments.',
  autoStart: true,
  requires: [IWorkspaceConnection, IMlwsPages, IMlwsSidebar, IMlwsSettings],
  optional: [
    ITranslator,
    ICommandPalette,
    INotebookTracker,
    IDocumentManager,
    IFileBrowserFactory,
    IDefaultFileBrowser
  ],
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    pages: IMlwsPages,
    sidebar: IMlwsSidebar,
    settings: IMlwsSettings,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    tracker: INotebookTracker | null,
    documents: IDocumentManager | null,
    browsers: IFileBrowserFactory | null,
    browser: IDefaultFileBrowser | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const { commands, shell } = app;
    const files = new NotebookFiles({
      app,
      trans,
      translator,
      tracker,
      documents,
      browsers,
      browser
    });
    addSubmitCommands({
      commands,
      trans,
      openNotebook: files.inFront,
      selectedFile: files.selected,
      chooseNotebook: files.choose,
      submit: async path => {
        await files.save(path);
        const { openSubmitDialog } = await import('../shell/submitDialog');
        await openSubmitDialog({
          connection,
          translator,
          trans,
          path,
          workspace: sidebar.workspace.get(),
          settings: settings.get(),
          onTagCell: files.tagger(path),
          onSubmitted: ({ run }, closed) => {
            const open = (): void => pages.open(runAddress(run.id));
            if (closed) {
              // Somebody went on with something else: their place stays.
              tellWithLink(
                trans.__('%1 was submitted.', run.name),
                trans.__('Open run'),
                open
              );
              return;
            }
            sidebar.reveal(run.experiment_id, run.id);
            open();
          }
        });
      }
    });
    shell.currentChanged?.connect(() =>
      commands.notifyCommandChanged(SubmitCommands.runAsExperiment)
    );
    for (const command of [
      SubmitCommands.runAsExperiment,
      SubmitCommands.runNotebook
    ]) {
      palette?.addItem({
        command,
        args: { isPalette: true },
        category: trans.__('ML Workspace')
      });
    }
  }
};
