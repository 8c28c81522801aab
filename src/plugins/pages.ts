import {
  ILayoutRestorer,
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { PageCommands, addPageCommands } from '../commands/pages';
import type { IPageAddress } from '../lib/address';
// Pages are restored with the layout; what they show is loaded later.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { createComputePage } from '../shell/computePage';
import { PanelOpener, type IPage, type PagePanel } from '../shell/openPanel';
import type { IPageOptions } from '../shell/pageOptions';
import { Pages } from '../shell/pages';
import { followAddress, PAGE_PATTERN } from '../shell/router';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { createRunHost, createRunPage } from '../shell/runPage';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { createWorkspacesPage } from '../shell/workspacesPage';
import { IMlwsPages, IWorkspaceConnection } from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

function createPage(
  address: IPageAddress,
  options: IPageOptions,
  host: ReturnType<typeof createRunHost>
): IPage {
  switch (address.kind) {
    case 'runs':
      return createRunPage(address, { ...options, host });
    case 'compute':
      return createComputePage(address, options);
    case 'experiments':
    case 'workspaces':
      return createWorkspacesPage(address, options);
  }
}

/** Opens pages by their addresses, restores them with the layout, and follows links to them. */
export const pagesPlugin: JupyterFrontEndPlugin<IMlwsPages> = {
  id: 'jupyter-mlws:pages',
  description: 'Opens the pages of the ML workspace by their addresses.',
  autoStart: true,
  requires: [
    IWorkspaceConnection,
    IRenderMimeRegistry,
    IEditorServices,
    IEditorLanguageRegistry,
    IDocumentManager
  ],
  optional: [ITranslator, ILayoutRestorer, IRouter],
  provides: IMlwsPages,
  activate: (
    app: JupyterFrontEnd,
    connection: IWorkspaceConnection,
    rendermime: IRenderMimeRegistry,
    editors: IEditorServices,
    languages: IEditorLanguageRegistry,
    documents: IDocumentManager,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    router: IRouter | null
  ): IMlwsPages => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const tracker = new WidgetTracker<PagePanel>({ namespace: 'mlws-pages' });
    const host = createRunHost({
      app,
      documents,
      rendermime,
      languages,
      mimeTypes: editors.mimeTypeService
    });
    const options: IPageOptions = {
      connection,
      translator,
      open: text => pages.open(text),
      saved: panel => {
        const widget = tracker.find(page => page.content === panel);
        if (widget) {
          void tracker.save(widget);
        }
      }
    };
    const opener = new PanelOpener(app.shell, tracker, address =>
      createPage(address, options, host)
    );
    const pages = new Pages(trans, address => void opener.open(address));
    addPageCommands(app.commands, trans, {
      open: pages.open,
      follow: search => {
        if (router) {
          void app.restored.then(() =>
            followAddress(router, search, pages.open)
          );
        }
      }
    });
    void restorer?.restore(tracker, {
      command: PageCommands.open,
      args: widget => ({ address: opener.addressOf(widget) }),
      name: widget => opener.nameOf(widget)
    });
    void app.restored.then(() => opener.attachAll());
    router?.register({
      command: PageCommands.follow,
      pattern: PAGE_PATTERN,
      rank: 15
    });
    return pages;
  }
};
