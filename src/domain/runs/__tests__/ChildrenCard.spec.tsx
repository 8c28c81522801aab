import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { ChildrenCard } from '../overview/ChildrenCard';

describe('ChildrenCard', () => {
  it('says how many more there are, and fetches them', async () => {
    const api = anApi({
      'GET /workspaces/{workspace}/runs': ({ params }) =>
        params?.query?.['cursor'] === 'second'
          ? { runs: [aRun({ id: 'c', name: 'third' })], next_cursor: null }
          : {
              runs: [
                aRun({ id: 'a', name: 'first' }),
                aRun({ id: 'b', name: 'second' })
              ],
              next_cursor: 'second'
            }
    });
    renderWithServer(<ChildrenCard run={aRun({ children: 3 })} />, api);
    const more = await screen.findByRole('button', { name: '… 1 more' });
    expect(screen.queryByText('third')).toBeNull();
    await userEvent.setup().click(more);
    expect(await screen.findByText('third')).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: /more/ })).toBeNull();
  });
});
