import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy } from 'react';

import type { ISidebarHost } from '../domain/experiments';
import type { Observable } from '../lib/observable';
import { PagesProvider, type OpenPage } from '../ui/PageLink';
import { experimentsIcon } from './icons';
import type { IProvidersProps } from './Providers';
import { ReactPanel } from './reactPanel';

/** The panel's id in the Lab's layout. */
export const SIDEBAR_ID = 'jp-mlws-experiments';

/** Loaded when the sidebar is first shown. */
const HostedSidebar = lazy(async () => {
  const [{ ExperimentsPanel, SidebarHostProvider }, { WorkspaceProvider }] =
    await Promise.all([
      import('../domain/experiments'),
      import('../domain/workspaces')
    ]);
  return {
    default: (props: { host: ISidebarHost; workspace: Observable<string> }) => (
      <WorkspaceProvider value={props.workspace}>
        <SidebarHostProvider value={props.host}>
          <ExperimentsPanel />
        </SidebarHostProvider>
      </WorkspaceProvider>
    )
  };
});

/** The panel "ML Experiments". */
export function createSidebar(
  options: IProvidersProps & {
    trans: TranslationBundle;
    host: ISidebarHost;
    open: OpenPage;
  }
): ReactPanel {
  const { connection, translator, trans, host, open } = options;
  return new ReactPanel({
    id: SIDEBAR_ID,
    caption: trans.__('ML Experiments'),
    icon: experimentsIcon,
    connection,
    translator,
    body: () => (
      <PagesProvider value={open}>
        <HostedSidebar host={host} workspace={connection.workspace} />
      </PagesProvider>
    )
  });
}
