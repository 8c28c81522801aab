import { lazy, type ComponentProps } from 'react';

import { computeAddress, type IPageAddress } from '../lib/address';
import { PagesProvider } from '../ui';
import { computeIcon } from './icons';
import type { IPage } from './openPanel';
import type { IPageOptions } from './pageOptions';
import { ReactPanel } from './reactPanel';

/** Loaded when the page is first shown. */
const HostedTarget = lazy(async () => {
  const [{ TargetPanel }, { WorkspaceProvider }] = await Promise.all([
    import('../domain/compute'),
    import('../domain/workspaces')
  ]);
  return {
    default: ({
      workspace,
      ...panel
    }: ComponentProps<typeof TargetPanel> & {
      workspace: ComponentProps<typeof WorkspaceProvider>['value'];
    }) => (
      <WorkspaceProvider value={workspace}>
        <TargetPanel {...panel} />
      </WorkspaceProvider>
    )
  };
});

/** The page of a compute target. */
export function createComputePage(
  address: IPageAddress,
  options: IPageOptions
): IPage {
  const { connection, translator, open } = options;
  const { id: name } = address;
  const panel = new ReactPanel({
    id: `jp-mlws-page-compute-${name}`,
    label: name,
    caption: name,
    icon: computeIcon,
    connection,
    translator,
    body: () => (
      <PagesProvider value={open}>
        <HostedTarget
          workspace={connection.workspace}
          name={name}
          onClose={() => panel.parent?.close()}
        />
      </PagesProvider>
    )
  });
  return {
    panel,
    show: () => undefined,
    address: () => computeAddress(name) ?? ''
  };
}
