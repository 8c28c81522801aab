import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { aQueuedJob, aSlurm, aTarget } from '../../../testing/compute';
import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { ComputePanel } from '../ComputePanel';

describe('ComputePanel', () => {
  function show(
    target = aTarget(),
    verbs: Record<string, (call: ICall) => unknown> = {}
  ): void {
    const api = anApi({
      'GET /compute': () => ({ targets: [target] }),
      'GET /workspaces/{workspace}/environments': () => ({
        environments: [],
        next_cursor: null
      }),
      ...verbs
    });
    renderWithServer(<ComputePanel />, api);
  }

  it('teaches while nothing runs', async () => {
    show();
    expect(await screen.findByText(/Nothing runs or waits/)).toBeVisible();
    expect(
      screen.getByText('mlws job create --notebook train.ipynb --target local')
    ).toBeVisible();
  });

  it('takes a line for each of several targets without jobs', async () => {
    show(aTarget(), {
      'GET /compute': () => ({
        targets: [aTarget(), aTarget({ name: 'far', kind: 'ssh' })]
      })
    });
    expect(
      await screen.findAllByText('Nothing runs or waits here.')
    ).toHaveLength(2);
    expect(screen.queryByText(/mlws job create/)).toBeNull();
  });

  it.each([
    [0, 1, 'idle, ends in 8 minutes'],
    [0, 2, 'idle, end in 8 minutes'],
    [1, 2, 'idle, 1 of them ends in 8 minutes']
  ])(
    'says when warm kernels end: at least %d, %d there',
    async (min_instances, spares, words) => {
      const spares_end_at = Date.now() + 8 * 60_000;
      show(aTarget({ min_instances, spares, spares_end_at }));
      expect(await screen.findByText(words)).toBeVisible();
      expect(screen.getByText(/ready for the next/)).toBeVisible();
    }
  );

  it('says of warm kernels that are always there only how many they are', async () => {
    show(aTarget({ min_instances: 1, spares: 1 }));
    expect(await screen.findByText(/^1 kernel is ready/)).toBeVisible();
    expect(screen.queryByText(/idle/)).toBeNull();
  });

  it('shows the queue with places and reasons, and how many are not listed', async () => {
    const queue = [
      aQueuedJob(),
      aQueuedJob({
        run_id: 'h',
        name: 'held-1',
        position: null,
        code: 'on_hold',
        reason: 'This job is on hold.'
      })
    ];
    show(aTarget({ queue, queued: 3 }));
    expect(await screen.findByText('Queue (3)')).toBeVisible();
    expect(screen.getByText(/this job is next/)).toBeVisible();
    expect(screen.getByText('… 2 more')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Resume held-1' })).toBeVisible();
  });

  it('changes a priority with Enter, and takes one back with Escape', async () => {
    const sent: unknown[] = [];
    const user = userEvent.setup();
    show(aTarget({ queue: [aQueuedJob()], queued: 1 }), {
      'PATCH /jobs/{run_id}': ({ body }) => sent.push(body)
    });
    const input = await screen.findByRole('textbox', { name: /^Priority of/ });
    await user.clear(input);
    await user.type(input, '7{Escape}');
    expect(input).toHaveValue('0');
    await user.clear(input);
    await user.type(input, '700{Enter}');
    expect(input).toBeInvalid();
    await user.clear(input);
    await user.type(input, '5{Enter}');
    expect(sent).toEqual([{ priority: 5 }]);
  });

  it('pauses and resumes the queue', async () => {
    const sent: unknown[] = [];
    const user = userEvent.setup();
    show(aTarget({ paused: true }), {
      'PATCH /compute/{name}': ({ body }) => sent.push(body)
    });
    expect(await screen.findByText(/The queue is paused/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Resume the queue' }));
    expect(sent).toEqual([{ paused: false }]);
  });

  it('changes limits in place', async () => {
    const sent: unknown[] = [];
    const user = userEvent.setup();
    show(aTarget(), {
      'PATCH /compute/{name}': ({ body }) => sent.push(body)
    });
    const open = await screen.findByRole('button', { name: 'Limits…' });
    await user.click(open);
    const own = within(screen.getByRole('group', { name: 'Jobs of one user' }));
    await user.type(own.getByLabelText('Memory'), '4 GiB');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(sent).toEqual([{ memory_bytes_per_user: 4 * 2 ** 30 }]);
    expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
    expect(open).toHaveFocus();
  });

  it('says by way of which host Slurm is reached', async () => {
    show(aSlurm({ via: 'login' }));
    expect(await screen.findByText('via login')).toBeVisible();
  });

  it('says why a target takes no jobs', async () => {
    show(aTarget({ state: 'unavailable', detail: 'No such kind.' }));
    expect(await screen.findByText('No such kind.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Limits…' })).toBeNull();
  });
});
