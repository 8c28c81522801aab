import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy } from 'react';

import type { ISidebarHost } from '../domain/experiments';
import { DEFAULT_WORKSPACE } from '../domain/workspaces';
import { Observable } from '../lib/observable';
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

/** The workspace that is looked at, at first. */
export function createWorkspace(): Observable<string> {
  return new Observable(DEFAULT_WORKSPACE);
}

/** The panel "ML Experiments". */
export function createSidebar(
  options: IProvidersProps & {
    trans: TranslationBundle;
    host: ISidebarHost;
    workspace: Observable<string>;
  }
): ReactPanel {
  const { connection, translator, trans, host, workspace } = options;
  return new ReactPanel({
    id: SIDEBAR_ID,
    caption: trans.__('ML Experiments'),
    icon: experimentsIcon,
    connection,
    translator,
    body: () => <HostedSidebar host={host} workspace={workspace} />
  });
}
