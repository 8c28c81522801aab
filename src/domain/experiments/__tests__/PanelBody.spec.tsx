import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { Observable } from '../../../lib/observable';
import { anApi, renderWithServer } from '../../../testing/server';
import { WorkspaceProvider } from '../../workspaces';
import { SidebarHostProvider, type ISidebarHost } from '../host';
import { PanelBody } from '../PanelBody';
import { experimentKeys } from '../queries';
import { SidebarModel } from '../SidebarModel';

describe('PanelBody', () => {
  it('takes the tree of a workspace away that is gone, and leads to another one', async () => {
    let there = true;
    const api = anApi({
      'GET /workspaces/{workspace}/experiments': ({ params }) => {
        if (!there && params?.path?.['workspace'] === 'vision') {
          throw new ApiError(404, 'workspace_not_found', 'No workspace.');
        }
        return {
          experiments: [],
          next_cursor: null
        };
      }
    });
    const workspace = new Observable('vision');
    const host = {
      model: new SidebarModel(),
      runsShown: new Observable(3)
    } as unknown as ISidebarHost;
    const { client } = renderWithServer(
      <WorkspaceProvider value={workspace}>
        <SidebarHostProvider value={host}>
          <PanelBody q="" onClearFilter={() => undefined} />
        </SidebarHostProvider>
      </WorkspaceProvider>,
      api
    );
    await screen.findByText(/Run a notebook as an experiment/);
    there = false;
    await act(() => client.invalidateQueries({ queryKey: experimentKeys.all }));
    await screen.findByText(/no workspace “vision” any more/);
    await userEvent
      .setup()
      .click(screen.getByRole('button', { name: 'Go to default' }));
    expect(workspace.get()).toBe('default');
    await screen.findByText(/Run a notebook as an experiment/);
  });
});
