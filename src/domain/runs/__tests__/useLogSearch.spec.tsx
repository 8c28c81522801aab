import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { anApi, renderWithServer } from '../../../testing/server';
import type { LogStore } from '../log/LogStore';
import { useLogSearch } from '../log/useLogSearch';

interface IJump {
  offset: number;
  land: (line: number) => void;
  fail: (error: Error) => void;
}

/** A log in which each jump takes as long as the test wants. */
function openSearch() {
  const jumps: IJump[] = [];
  const store = {
    window: { base: 0 },
    goTo: (offset: number) =>
      new Promise<number>((land, fail) => jumps.push({ offset, land, fail }))
  } as unknown as LogStore;
  function Search(): JSX.Element {
    const search = useLogSearch('r', 'user', store, 100, () => undefined);
    return (
      <>
        <input
          aria-label="words"
          value={search.words}
          onChange={event => search.onWords(event.target.value)}
        />
        <button onClick={() => search.onStep(-1)}>up</button>
        <output>{search.target?.line ?? 'nowhere'}</output>
        {search.error !== null && <p role="alert">failed</p>}
      </>
    );
  }
  const api = anApi({
    'GET /jobs/{run_id}/log/search': () => ({
      offsets: [10, 20, 30],
      next_offset: 100,
      more: false
    })
  });
  renderWithServer(<Search />, api);
  return jumps;
}

describe('useLogSearch', () => {
  it('shows the place of the last step, in whatever order the places come', async () => {
    const jumps = openSearch();
    const user = userEvent.setup();
    await user.type(screen.getByLabelText('words'), 'x');
    await waitFor(() => expect(jumps).toHaveLength(1));
    await user.click(screen.getByText('up'));
    await user.click(screen.getByText('up'));
    expect(jumps.map(({ offset }) => offset)).toEqual([30, 20, 10]);
    await act(async () => {
      jumps[2]?.land(1);
      await Promise.resolve();
    });
    await act(async () => {
      jumps[0]?.land(3);
      jumps[1]?.fail(new Error('late'));
      await Promise.resolve();
    });
    expect(screen.getByRole('status')).toHaveTextContent('1');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('forgets a failure when a later step finds its place', async () => {
    const jumps = openSearch();
    const user = userEvent.setup();
    await user.type(screen.getByLabelText('words'), 'x');
    await waitFor(() => expect(jumps).toHaveLength(1));
    act(() => jumps[0]?.fail(new Error('no')));
    expect(await screen.findByRole('alert')).toBeInTheDocument();
    await user.click(screen.getByText('up'));
    act(() => jumps[1]?.land(2));
    await waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
    expect(screen.getByRole('status')).toHaveTextContent('2');
  });
});
