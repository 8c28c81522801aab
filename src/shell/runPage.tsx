import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { lazy } from 'react';

import type { IRunHost, IRunPanelProps, ITabWish, Run } from '../domain/runs';
import { runAddress, type IPageAddress } from '../lib/address';
import { shortId } from '../lib/format';
import { PagesProvider } from '../ui';
import { experimentsIcon } from './icons';
import { markdownView } from './MarkdownView';
import { notebookView, type INotebookTools } from './NotebookView';
import type { IPage } from './openPanel';
import type { IPageOptions } from './pageOptions';
import { ReactPanel } from './reactPanel';
import { saveCopy } from './saveCopy';
import { StatusTitleIcon } from './StatusTitleIcon';

/** Loaded when the first page is shown. */
const HostedRun = lazy(async () => {
  const [{ RunHostProvider, RunPanel }, { RerunForm }] = await Promise.all([
    import('../domain/runs'),
    import('../domain/jobs')
  ]);
  return {
    default: ({
      host,
      ...panel
    }: Omit<IRunPanelProps, 'RerunForm'> & { host: IRunHost }) => (
      <RunHostProvider value={host}>
        <RunPanel {...panel} RerunForm={RerunForm} />
      </RunHostProvider>
    )
  };
});

/** What the Lab gives to the run page. */
export function createRunHost(
  lab: INotebookTools & { app: JupyterFrontEnd; documents: IDocumentManager }
): IRunHost {
  const { app, documents, rendermime } = lab;
  const { contents } = app.serviceManager;
  return {
    Markdown: markdownView(rendermime),
    Notebook: notebookView(lab),
    openCopy: async copy => {
      documents.openOrReveal(await saveCopy(contents, copy));
    },
    openFile: path => void documents.openOrReveal(path),
    openConsole: async id => {
      await app.serviceManager.kernels.refreshRunning();
      await app.commands.execute('console:create', {
        kernelPreference: { id },
        insertMode: 'split-bottom'
      });
    }
  };
}

export interface IRunPageOptions extends IPageOptions {
  host: IRunHost;
}

/** The page of a run, in a panel whose tab shows its name and status. */
export function createRunPage(
  address: IPageAddress,
  options: IRunPageOptions
): IPage {
  const { connection, translator, host, open, saved } = options;
  const { id } = address;
  let wanted: ITabWish = { tab: address.tab };
  const onRun = (run: Run): void => nameTab(panel, run);
  const onTab = (tab: string): void => {
    // A page that is attached again begins where it was.
    wanted = { tab };
    saved(panel);
  };
  const panel = new ReactPanel({
    id: `jp-mlws-page-${id}`,
    label: shortId(id),
    caption: shortId(id),
    icon: experimentsIcon,
    connection,
    translator,
    body: () => (
      <PagesProvider value={open}>
        <HostedRun
          host={host}
          id={id}
          tab={wanted}
          onRun={onRun}
          onTab={onTab}
          onClose={() => panel.parent?.close()}
        />
      </PagesProvider>
    )
  });
  return {
    panel,
    show: next => {
      if (next.tab) {
        wanted = { tab: next.tab };
        panel.update();
      }
    },
    address: () => runAddress(id, wanted.tab)
  };
}

/** Puts name and status onto the panel's tab; only what has changed, since each change draws all tabs. */
function nameTab(panel: ReactPanel, run: Run): void {
  const { title } = panel;
  if (panel.isDisposed) {
    return;
  }
  title.label = run.name;
  title.caption = `${run.experiment_name} / ${run.name}`;
  if (title.dataset['mlwsStatus'] !== run.status) {
    title.dataset = { ...title.dataset, mlwsStatus: run.status };
    // A Lumino renderer is all that a tab needs; the Lab's type asks for a LabIcon.
    title.icon = new StatusTitleIcon(run.status);
  }
}
