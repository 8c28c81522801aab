import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError, ConnectionError } from '../../../api/errors';
import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { RunHostProvider, type IRunHost } from '../host';
import { runKeys } from '../queries';
import { RunPanel } from '../RunPanel';

const host = {
  Markdown: () => null,
  Notebook: () => null
} as unknown as IRunHost;

/** The page of a run; the server answers what stands in `next`. */
function openPage(
  first: () => unknown = () => aRun({ id: 'r', name: 'first' })
) {
  const server = { next: first };
  const api = anApi({ 'GET /runs/{run_id}': () => server.next() });
  const page = renderWithServer(
    <RunHostProvider value={host}>
      <RunPanel
        id="r"
        tab={{ tab: null }}
        onRun={() => undefined}
        onTab={() => undefined}
        onClose={() => undefined}
        RerunForm={({ onClose }) => <button onClick={onClose}>Close it</button>}
      />
    </RunHostProvider>,
    api
  );
  const lookAgain = (): Promise<void> =>
    act(() => page.client.invalidateQueries({ queryKey: runKeys.detail('r') }));
  return { ...page, server, lookAgain };
}

const refuse = (error: Error) => (): never => {
  throw error;
};

describe('RunPanel', () => {
  it('keeps what it knows when the server is gone, and says of when it is', async () => {
    const page = openPage();
    expect(await screen.findByText('first')).toBeInTheDocument();
    expect(screen.queryByText(/as of/)).toBeNull();
    page.server.next = refuse(new ConnectionError(new Error('refused')));
    await page.lookAgain();
    expect(await screen.findByText(/Not connected, as of/)).toBeInTheDocument();
    expect(screen.getByText('first')).toBeInTheDocument();
    page.server.next = () => aRun({ id: 'r', name: 'second' });
    await page.lookAgain();
    expect(await screen.findByText('second')).toBeInTheDocument();
    expect(screen.queryByText(/as of/)).toBeNull();
  });

  it('gives the focus back to the button that had opened a form', async () => {
    openPage();
    const user = userEvent.setup();
    const edit = await screen.findByRole('button', {
      name: 'Edit and re-run…'
    });
    await user.click(edit);
    await user.click(screen.getByRole('button', { name: 'Close it' }));
    expect(screen.queryByRole('button', { name: 'Close it' })).toBeNull();
    expect(edit).toHaveFocus();
  });

  it('says so when live updates do not arrive', async () => {
    const page = openPage();
    await screen.findByText('first');
    act(() => page.hints.setLost(true));
    expect(screen.getByText(/No live updates, as of/)).toBeInTheDocument();
    act(() => page.hints.setLost(false));
    expect(screen.queryByText(/as of/)).toBeNull();
  });

  it('says that a run is gone only when the server says so', async () => {
    const page = openPage();
    await screen.findByText('first');
    // The extension is off: its addresses are not there.
    page.server.next = refuse(new ApiError(404, 'http_404', 'Not Found'));
    await page.lookAgain();
    expect(await screen.findByText(/Not connected, as of/)).toBeInTheDocument();
    expect(screen.queryByText(/deleted for ever/)).toBeNull();
    page.server.next = refuse(new ApiError(404, 'run_not_found', 'No run r.'));
    await page.lookAgain();
    expect(await screen.findByText(/deleted for ever/)).toBeInTheDocument();
  });

  it('offers to try again where there never was an answer', async () => {
    openPage(refuse(new ApiError(404, 'http_404', 'Not Found')));
    expect(
      await screen.findByText(/Is the server extension/)
    ).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Retry' })).toBeInTheDocument();
  });
});
