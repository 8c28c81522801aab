import { Widget } from '@lumino/widgets';
import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { useApi, useLive } from '../../api/context';
import type { IWorkspaceConnection } from '../../tokens';
import { createQueryClient } from '../queryClient';
import { experimentsIcon } from '../icons';
import { ReactPanel } from '../reactPanel';

const connection = {
  api: {},
  hints: { connected: false, onConnectedChanged: () => () => undefined },
  queryClient: createQueryClient()
} as unknown as IWorkspaceConnection;

async function show(body: () => JSX.Element): Promise<ReactPanel> {
  const panel = new ReactPanel({
    id: 'p',
    caption: 'P',
    icon: experimentsIcon,
    connection,
    translator: null,
    body
  });
  await act(async () => {
    Widget.attach(panel, document.body);
    await panel.renderPromise;
  });
  return panel;
}

describe('ReactPanel', () => {
  it('hosts a tree with the server at hand', async () => {
    function Body(): JSX.Element {
      const api = useApi();
      const live = useLive();
      return <p>{api === connection.api && !live ? 'at hand' : 'amiss'}</p>;
    }
    const panel = await show(() => <Body />);
    expect(await screen.findByText('at hand')).toBeInTheDocument();
    act(() => panel.dispose());
  });

  it('shows a fault with its details, and tries again', async () => {
    const complain = jest.spyOn(console, 'error').mockImplementation();
    let broken = true;
    function Body(): JSX.Element {
      if (broken) {
        throw new Error('The fault.');
      }
      return <p>mended</p>;
    }
    const panel = await show(() => <Body />);
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('This panel failed.The fault.');
    expect(
      screen.getByRole('button', { name: 'Copy details' })
    ).toBeInTheDocument();
    broken = false;
    await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
    expect(await screen.findByText('mended')).toBeInTheDocument();
    act(() => panel.dispose());
    complain.mockRestore();
  });
});
