import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy } from 'react';

import type { Observable } from '../lib/observable';
import { PagesProvider, type OpenPage } from '../ui/PageLink';
import { computeIcon } from './icons';
import type { IProvidersProps } from './Providers';
import { ReactPanel } from './reactPanel';

/** The panel's id in the Lab's layout. */
export const COMPUTE_ID = 'jp-mlws-compute';

/** Loaded when the sidebar is first shown. */
const HostedCompute = lazy(async () => {
  const [{ ComputePanel }, { WorkspaceProvider }] = await Promise.all([
    import('../domain/compute'),
    import('../domain/workspaces')
  ]);
  return {
    default: (props: { workspace: Observable<string> }) => (
      <WorkspaceProvider value={props.workspace}>
        <ComputePanel />
      </WorkspaceProvider>
    )
  };
});

/** The panel "ML Compute". */
export function createComputeSidebar(
  options: IProvidersProps & { trans: TranslationBundle; open: OpenPage }
): ReactPanel {
  const { connection, translator, trans, open } = options;
  return new ReactPanel({
    id: COMPUTE_ID,
    caption: trans.__('ML Compute'),
    icon: computeIcon,
    connection,
    translator,
    body: () => (
      <PagesProvider value={open}>
        <HostedCompute workspace={connection.workspace} />
      </PagesProvider>
    )
  });
}
