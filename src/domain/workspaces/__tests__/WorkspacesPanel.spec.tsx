import type { QueryClient } from '@tanstack/react-query';
import { act, screen } from '@testing-library/react';
import userEvent, { type UserEvent } from '@testing-library/user-event';

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

/** The panel with the workspaces "before" and "other", whose PATCH waits for `reply`. */
function renderPanel(): {
  client: QueryClient;
  workspace: Observable<string>;
  reply: () => void;
} {
  let name = 'before';
  let reply = (): void => undefined;
  const answered = new Promise<void>(resolve => {
    reply = resolve;
  });
  const api = anApi({
    'GET /workspaces': ({ params }) => ({
      workspaces: params?.query?.['archived']
        ? []
        : [aWorkspace(name), aWorkspace('other')]
    }),
    'GET /workspaces/{workspace}/secrets': () => ({ secrets: [], kept: '' }),
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
  return { client, workspace, reply };
}

async function rename(user: UserEvent): Promise<void> {
  await user.click(
    await screen.findByRole('button', { name: 'Rename or describe…' })
  );
  const field = screen.getByLabelText('Name');
  await user.clear(field);
  await user.type(field, 'after');
  await user.click(screen.getByRole('button', { name: 'Save' }));
}

describe('WorkspacesPanel', () => {
  it('goes on with a renamed workspace, also where its list knows the name before the reply is here', async () => {
    const { client, workspace, reply } = renderPanel();
    await rename(userEvent.setup());
    // The hint of the change comes first.
    await act(() => client.invalidateQueries({ queryKey: workspaceKeys.all }));
    act(reply);
    expect(
      await screen.findByRole('heading', { name: 'after' })
    ).toBeInTheDocument();
    expect(workspace.get()).toBe('after');
  });

  it('leaves who has gone on to another workspace where they are', async () => {
    const { workspace, reply } = renderPanel();
    const user = userEvent.setup();
    await rename(user);
    await user.click(screen.getByRole('option', { name: /^other/ }));
    act(() => workspace.set('other'));
    act(reply);
    expect(
      await screen.findByRole('option', { name: /^after/ })
    ).toBeInTheDocument();
    expect(screen.getByRole('heading', { name: 'other' })).toBeInTheDocument();
    expect(workspace.get()).toBe('other');
  });
});
