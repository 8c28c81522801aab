import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { aVersion } from '../../../testing/environments';
import { anApi, renderWithServer } from '../../../testing/server';
import { EnvironmentCard } from '../overview/EnvironmentCard';
import { RecreateEnvironment } from '../overview/RecreateEnvironment';

describe('RecreateEnvironment', () => {
  it('makes an environment of the run, and says where it is', async () => {
    const sent: unknown[] = [];
    let broken = true;
    const user = userEvent.setup();
    const api = anApi({
      'POST /runs/{run_id}/environment': ({ params, body }) => {
        if (broken) {
          throw new ApiError(400, 'nothing_captured', 'Nothing was captured.');
        }
        sent.push([params?.path?.['run_id'], body]);
        return aVersion({ name: 'again', version: 2 });
      }
    });
    renderWithServer(<RecreateEnvironment runId="r" />, api);
    const open = { name: 'Recreate environment…' };
    await user.click(screen.getByRole('button', open));
    const name = screen.getByLabelText('Name of the environment');
    expect(name).toHaveFocus();
    await user.type(name, 'again');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByText('Nothing was captured.')).toBeVisible();
    broken = false;
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByText(/^again:2 is among/)).toBeVisible();
    expect(sent).toEqual([['r', { name: 'again' }]]);
    expect(screen.getByRole('button', open)).toHaveFocus();
  });

  it.each([
    ['R', true],
    ['python', false]
  ])(
    'is offered without packages for a kernel of %s: %s',
    async (language, offered) => {
      const api = anApi({
        'GET /runs/{run_id}/environment': () => ({
          kernel_name: 'k',
          language
        })
      });
      const { client } = renderWithServer(<EnvironmentCard runId="r" />, api);
      await waitFor(() => expect(client.isFetching()).toBe(0));
      const button = screen.queryByRole('button', {
        name: 'Recreate environment…'
      });
      expect(button !== null).toBe(offered);
    }
  );
});
