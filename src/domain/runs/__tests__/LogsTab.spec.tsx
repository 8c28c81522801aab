import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { anApi, renderWithServer } from '../../../testing/server';
import { LogsTab } from '../log/LogsTab';

describe('LogsTab', () => {
  it('says what could not be loaded or downloaded, and tries again', async () => {
    let broken = false;
    const api = anApi({
      'GET /jobs/{run_id}/log': ({ params }) => {
        if (broken) {
          throw new Error('The disk is gone.');
        }
        const earlier = params?.query?.['before'] !== undefined;
        return {
          text: earlier ? 'first\n' : 'last\n',
          partial: '',
          offset: earlier ? 0 : 6,
          next_offset: earlier ? 6 : 11,
          size: 11,
          done: true
        };
      }
    });
    renderWithServer(<LogsTab runId="r" waiting={false} />, api);
    const user = userEvent.setup();
    const earlier = await screen.findByText('Load earlier lines');
    broken = true;
    await user.click(earlier);
    expect(
      await screen.findByText('More of the log could not be loaded.')
    ).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: /Download/ }));
    expect(
      await screen.findByText('The log could not be downloaded.')
    ).toBeInTheDocument();
    broken = false;
    await user.click(screen.getByRole('button', { name: 'Retry' }));
    await waitFor(() =>
      expect(
        screen.queryByText('More of the log could not be loaded.')
      ).toBeNull()
    );
    expect(screen.queryByText('Load earlier lines')).toBeNull();
  });
});
