import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import {
  FileDialog,
  type IDefaultFileBrowser,
  type IFileBrowserFactory
} from '@jupyterlab/filebrowser';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';

/** The tag that makes a cell's assignments parameters; papermill's. */
const TAG = 'parameters';

/** What of the Lab is there to find notebooks with. */
export interface INotebookSources {
  app: JupyterFrontEnd;
  trans: TranslationBundle;
  translator: ITranslator | null;
  tracker: INotebookTracker | null;
  documents: IDocumentManager | null;
  browsers: IFileBrowserFactory | null;
  browser: IDefaultFileBrowser | null;
}

/** Finds, saves and tags notebooks. Paths are the server's, without the Lab's drive. */
export class NotebookFiles {
  constructor(private readonly lab: INotebookSources) {}

  /** The notebook in front. */
  readonly inFront = (): string | null => {
    const { tracker, app } = this.lab;
    const panel = tracker?.currentWidget;
    return panel && panel === app.shell.currentWidget
      ? this._local(panel.context.path)
      : null;
  };

  /** The notebook that is selected in the file browser. */
  readonly selected = (): string | null => {
    const items = this.lab.browsers?.tracker.currentWidget?.selectedItems();
    for (const item of items ?? []) {
      if (item.type === 'notebook') {
        return this._local(item.path);
      }
    }
    return null;
  };

  /** Asks for one. */
  readonly choose = async (): Promise<string | null> => {
    const { documents, browser, trans, translator } = this.lab;
    if (!documents) {
      return null;
    }
    const { button, value } = await FileDialog.getOpenFiles({
      manager: documents,
      title: trans.__('Which notebook should run?'),
      filter: model => (model.type === 'notebook' ? {} : null),
      ...(browser && { defaultPath: browser.model.path }),
      ...(translator && { translator })
    });
    const chosen = button.accept
      ? value?.find(({ type }) => type === 'notebook')
      : undefined;
    return chosen ? this._local(chosen.path) : null;
  };

  /** Saves it if it is open with changes: what runs is what is seen. */
  async save(path: string): Promise<void> {
    const context = this._open(path)?.context;
    if (context && !context.model.readOnly) {
      await context.ready;
      if (context.model.dirty) {
        await context.save();
      }
    }
  }

  /** A function that tags the selected cell and saves; null where the notebook is not open. */
  tagger(path: string): (() => Promise<void>) | null {
    const panel = this._open(path);
    const { trans } = this.lab;
    return panel && !panel.context.model.readOnly
      ? async () => {
          const cell = panel.content.activeCell;
          if (cell?.model.type !== 'code') {
            throw new Error(
              trans.__('The selected cell is no code cell: select another one.')
            );
          }
          const tags: unknown = cell.model.getMetadata('tags');
          cell.model.setMetadata('tags', [
            ...(Array.isArray(tags) ? (tags as string[]) : []),
            TAG
          ]);
          await panel.context.save();
        }
      : null;
  }

  private _open(path: string): NotebookPanel | undefined {
    return this.lab.tracker?.find(
      panel => this._local(panel.context.path) === path
    );
  }

  private _local(path: string): string {
    return this.lab.app.serviceManager.contents.localPath(path);
  }
}
