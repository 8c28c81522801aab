import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { Observable } from '../../../lib/observable';
import { anApi, renderWithServer } from '../../../testing/server';
import { WorkspaceProvider } from '../useWorkspace';
import { WorkspacesPanel } from '../WorkspacesPanel';
import { workspaceKeys } from '../queries';

const aWorkspace = (name: string): object => ({
  name,
  display_name: name,
  description: '',
  archived: false,
  version: 1,
  created_at: 0,
  created_by: 'ann',
  experiments: 0,
  runs: 0
});

describe('WorkspacesPanel', () => {
  it('goes on with a renamed workspace, also where its list knows the name before the reply is here', async () => {
    let name = 'before';
    let reply = (): void => undefined;
    const answered = new Promise<void>(resolve => {
      reply = resolve;
    });
    const api = anApi({
      'GET /workspaces': ({ params }) => ({
        workspaces: params?.query?.['archived'] ? [] : [aWorkspace(name)]
      }),
      'GET /workspaces/{workspace}/resources': () => ({ resources: [] }),
      'PATCH /workspaces/{workspace}': async () => {
        name = 'after';
        await answered;
        return aWorkspace(name);
      }
    });
    const workspace = new Observable('before');
    const { client } = renderWithServer(
      <WorkspaceProvider value={workspace}>
        <WorkspacesPanel name="before" onShown={() => undefined} />
      </WorkspaceProvider>,
      api
    );
    const user = userEvent.setup();
    await user.click(
      await screen.findByRole('button', { name: 'Rename or describe…' })
    );
    const field = screen.getByLabelText('Name');
    await user.clear(field);
    await user.type(field, 'after');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    // The hint of the change comes first.
    await act(() => client.invalidateQueries({ queryKey: workspaceKeys.all }));
    act(reply);
    expect(
      await screen.findByRole('heading', { name: 'after' })
    ).toBeInTheDocument();
    expect(workspace.get()).toBe('after');
  });
});
