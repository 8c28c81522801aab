import { nullTranslator } from '@jupyterlab/translation';
import type { ComponentProps } from 'react';
import { lazy } from 'react';

import { workspaceAddress, type IPageAddress } from '../lib/address';
import { PagesProvider, TRANSLATION_DOMAIN } from '../ui';
import { experimentsIcon } from './icons';
import type { IPage } from './openPanel';
import type { IPageOptions } from './pageOptions';
import { ReactPanel } from './reactPanel';

/** Loaded when the page is first shown. */
const HostedWorkspaces = lazy(async () => {
  const { WorkspaceProvider, WorkspacesPanel } =
    await import('../domain/workspaces');
  return {
    default: ({
      workspace,
      ...panel
    }: ComponentProps<typeof WorkspacesPanel> & {
      workspace: ComponentProps<typeof WorkspaceProvider>['value'];
    }) => (
      <WorkspaceProvider value={workspace}>
        <WorkspacesPanel {...panel} />
      </WorkspaceProvider>
    )
  };
});

/** The page of all workspaces. */
export function createWorkspacesPage(
  address: IPageAddress,
  options: IPageOptions
): IPage {
  const { connection, translator, open, saved } = options;
  const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
  let wanted = address.id;
  let shown = address.id;
  const onShown = (name: string): void => {
    if (name !== shown) {
      shown = name;
      wanted = name;
      panel.update();
      saved(panel);
    }
  };
  const panel = new ReactPanel({
    id: 'jp-mlws-page-workspaces',
    label: trans.__('ML Workspaces'),
    caption: trans.__('All workspaces, and what they stand on'),
    icon: experimentsIcon,
    connection,
    translator,
    body: () => (
      <PagesProvider value={open}>
        <HostedWorkspaces
          workspace={connection.workspace}
          name={wanted}
          onShown={onShown}
        />
      </PagesProvider>
    )
  });
  return {
    panel,
    show: next => {
      wanted = next.id;
      panel.update();
    },
    address: () => workspaceAddress(shown, 'details')
  };
}
