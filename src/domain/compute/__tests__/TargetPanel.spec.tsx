import type { QueryClient } from '@tanstack/react-query';
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import {
  aGateway,
  aHost,
  anLsf,
  aPbs,
  aSlurm,
  aTarget,
  anEndedJob,
  aUse,
  ofHost
} from '../../../testing/compute';
import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { TargetPanel } from '../TargetPanel';
import type { ComputeTarget } from '../types';

describe('TargetPanel', () => {
  const closed = jest.fn();
  let client: QueryClient;

  function show(
    target: ComputeTarget,
    verbs: Record<string, (call: ICall) => unknown> = {}
  ): void {
    closed.mockClear();
    const api = anApi({
      'GET /compute': () => ({ targets: [target] }),
      'GET /compute/{name}/jobs': () => ({ jobs: [], next_cursor: null }),
      'GET /compute/{name}/usage': ({ params }) => ({
        name: target.name,
        span: params?.query?.['span'],
        since: null,
        users: [],
        more_users: 0,
        total: aUse({ jobs: 0 })
      }),
      'GET /workspaces/{workspace}/secrets': () => ({ secrets: [] }),
      ...verbs
    });
    ({ client } = renderWithServer(
      <TargetPanel name="lab" onClose={closed} />,
      api
    ));
  }

  it('says so where there is no such target, and closes', async () => {
    const user = userEvent.setup();
    show(aTarget({ name: 'other' }));
    expect(
      await screen.findByText(/There is no compute target lab/)
    ).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Close this page' }));
    expect(closed).toHaveBeenCalled();
  });

  it('shows a target of a kind that it does not know, without the verbs of hosts', async () => {
    show(aTarget({ name: 'lab', kind: 'of-tomorrow', kinds: ['command'] }));
    expect(await screen.findByText('No job has ended here yet.')).toBeVisible();
    expect(screen.getAllByText('of-tomorrow')[0]).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Edit…' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Delete…' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Test' })).toBeNull();
  });

  it('tells what Slurm is asked for', async () => {
    show({
      ...aSlurm({ partition: 'gpu', account: 'lab42', time_limit_s: 7200 }),
      name: 'lab'
    });
    const about = await screen.findByRole('region', { name: 'About' });
    expect(within(about).getByText('Partition')).toBeVisible();
    expect(within(about).queryByText('Reservation')).toBeNull();
    expect(within(about).getByText('gpu')).toBeVisible();
    expect(within(about).getByText('lab42')).toBeVisible();
    expect(
      within(about).getByText('2:00:00 for jobs without one')
    ).toBeVisible();
    const test = screen.getByRole('region', { name: 'Test' });
    expect(within(test).getByText(/by a small job/)).toBeVisible();
  });

  it('says so where Slurm is asked for nothing, and what a pause holds up', async () => {
    show({ ...aSlurm(), name: 'lab', paused: true });
    expect(await screen.findByText('what Slurm gives by itself')).toBeVisible();
    expect(screen.getByText(/no job goes to Slurm/)).toBeVisible();
  });

  it('tells what PBS is asked for', async () => {
    show({ ...aPbs({ queue: 'long', project: 'xy12' }), name: 'lab' });
    expect(await screen.findByText('long')).toBeVisible();
    expect(screen.getByText('xy12')).toBeVisible();
  });

  it('says so where PBS is asked for nothing, and what a pause holds up', async () => {
    show({ ...aPbs(), name: 'lab', paused: true });
    expect(await screen.findByText('what PBS gives by itself')).toBeVisible();
    expect(screen.getByText(/no job goes to PBS/)).toBeVisible();
  });

  it('tells what LSF is asked for', async () => {
    show({ ...anLsf({ queue: 'normal', user_group: 'team' }), name: 'lab' });
    const about = await screen.findByRole('region', { name: 'About' });
    expect(within(about).getByText('normal')).toBeVisible();
    expect(within(about).getByText('User group')).toBeVisible();
    expect(within(about).queryByText('Account')).toBeNull();
  });

  it('says so where LSF is asked for nothing, and what a pause holds up', async () => {
    show({ ...anLsf(), name: 'lab', paused: true });
    expect(await screen.findByText('what LSF gives by itself')).toBeVisible();
    expect(screen.getByText(/no job goes to LSF/)).toBeVisible();
  });

  it('tells by way of which host Slurm is reached, and what that runs', async () => {
    const kernels = [{ name: 'ir', display_name: 'R', language: 'R' }];
    const { facts } = ofHost({
      notebooks: { missing: '', papermill: '2.7', ipykernel: '7', kernels }
    });
    show({ ...aSlurm({ via: 'login' }), name: 'lab', facts });
    const about = await screen.findByRole('region', { name: 'About' });
    expect(within(about).getByText('Submits via')).toBeVisible();
    expect(within(about).getByText('login')).toBeVisible();
    expect(within(about).getByText('with the kernels ir')).toBeVisible();
    expect(within(about).getByText(/^the login node/)).toBeVisible();
  });

  it('tells where the kernels of another Jupyter server are', async () => {
    const kernels = [{ name: 'ir', display_name: 'R', language: 'R' }];
    const { facts } = ofHost({
      notebooks: { missing: '', papermill: null, ipykernel: null, kernels }
    });
    show({ ...aGateway({ kernel: 'ir' }), name: 'lab', facts });
    const about = await screen.findByRole('region', { name: 'About' });
    expect(within(about).getByText('https://jupyter.lab')).toBeVisible();
    expect(within(about).getByText('the secret FAR of default')).toBeVisible();
    expect(within(about).getByText('ir')).toBeVisible();
    expect(within(about).queryByText('Machine')).toBeNull();
    const test = screen.getByRole('region', { name: 'Test' });
    expect(within(test).getByText(/starts a kernel there/)).toBeVisible();
  });

  it('says so where what goes there is not encrypted', async () => {
    const place = { url: 'http://far:8888', insecure: true };
    show({ ...aGateway(place), name: 'lab' });
    expect(
      await screen.findByText(
        'http://far:8888, over a network without encryption'
      )
    ).toBeVisible();
  });

  it('tells which kernels a host has for notebooks, and of which wheels', async () => {
    const kernels = [
      { name: 'ir', display_name: 'R', language: 'R' },
      { name: 'python3', display_name: 'Python 3', language: 'python' }
    ];
    const { ssh, facts } = ofHost({
      notebooks: { missing: '', papermill: '2.7', ipykernel: '7', kernels }
    });
    show(aHost({ ssh: ssh && { ...ssh, wheelhouse: '/srv/wheels' }, facts }));
    expect(
      await screen.findByText('with the kernels ir, python3')
    ).toBeVisible();
    expect(screen.getByText('/srv/wheels')).toBeVisible();
  });

  it('lists ended jobs page by page', async () => {
    const user = userEvent.setup();
    show(aHost(), {
      'GET /compute/{name}/jobs': ({ params }) =>
        params?.query?.['cursor'] === 'next'
          ? { jobs: [anEndedJob({ run_id: 'b', name: 'first' })] }
          : {
              jobs: [
                anEndedJob({
                  run_id: 'a',
                  name: 'second',
                  status: 'Failed',
                  reason: 'lost'
                })
              ],
              next_cursor: 'next'
            }
    });
    const history = await screen.findByRole('region', { name: 'History' });
    expect(await within(history).findByText('second')).toBeVisible();
    expect(within(history).getByText('Failed')).toBeVisible();
    expect(
      within(history).getByTitle('Failed: its process vanished without a word')
    ).toBeVisible();
    expect(within(history).getByText('1:01:01')).toBeVisible();
    expect(within(history).queryByText('first')).toBeNull();
    await user.click(
      within(history).getByRole('button', { name: 'Earlier jobs' })
    );
    expect(await within(history).findByText('first')).toBeVisible();
    expect(within(history).queryByRole('button')).toBeNull();
  });

  it('orders users by what is asked for, and asks for another span', async () => {
    const user = userEvent.setup();
    const asked: unknown[] = [];
    show(aHost(), {
      'GET /compute/{name}/usage': ({ params }) => {
        asked.push(params?.query?.['span']);
        return {
          users: [
            { ...aUse({ ran_ms: 9000, cpu_time_s: null }), user: 'ben' },
            { ...aUse({ ran_ms: 1000, cpu_time_s: 5 }), user: 'ada' }
          ],
          more_users: 3,
          total: aUse({ jobs: 7 })
        };
      }
    });
    const usage = await screen.findByRole('region', { name: 'Usage by user' });
    const names = (): (string | null)[] =>
      within(usage)
        .getAllByRole('rowheader')
        .map(cell => cell.textContent);
    await within(usage).findByText('ben');
    expect(names()).toEqual(['ben', 'ada', 'All, and 3 users more']);
    await user.click(within(usage).getByRole('button', { name: 'CPU time' }));
    expect(names()).toEqual(['ada', 'ben', 'All, and 3 users more']);
    await user.selectOptions(within(usage).getByLabelText('Time'), 'all');
    expect(asked).toEqual(['7d', 'all']);
  });

  it('shows each step of the last test, and tests again', async () => {
    const user = userEvent.setup();
    const tested: unknown[] = [];
    const steps = [
      { name: 'reach the host', state: 'ok' as const, detail: '', todo: '' },
      {
        name: 'log in',
        state: 'failed' as const,
        detail: 'the key is refused',
        todo: 'Put the public key into authorized_keys there.'
      }
    ];
    show(aHost({ checked: { at: Date.now(), usable: false, steps } }), {
      'POST /compute/{name}/test': ({ params }) => tested.push(params?.path)
    });
    const test = await screen.findByRole('region', { name: 'Test' });
    expect(within(test).getByText(/Jobs cannot run yet/)).toBeVisible();
    expect(within(test).getByText(': the key is refused')).toBeVisible();
    expect(within(test).getByText(/^Put the public key/)).toBeVisible();
    await user.click(within(test).getByRole('button', { name: 'Test again' }));
    expect(tested).toEqual([{ name: 'lab' }]);
  });

  it('deletes only after it is told that running jobs are given up', async () => {
    const user = userEvent.setup();
    const sent: unknown[] = [];
    show(aHost({ running: 2, queued: 1 }), {
      'DELETE /compute/{name}': ({ params }) => sent.push(params?.query)
    });
    await user.click(await screen.findByRole('button', { name: 'Delete…' }));
    const form = screen.getByRole('form', {
      name: 'Delete the compute target lab'
    });
    expect(within(form).getByText(/1 job waits for it/)).toBeVisible();
    const button = within(form).getByRole('button', { name: 'Delete' });
    expect(button).toBeDisabled();
    await user.click(
      within(form).getByLabelText('Give up the 2 jobs that run there')
    );
    await user.click(button);
    expect(sent).toEqual([{ force: true }]);
    expect(closed).toHaveBeenCalled();
  });

  it('deletes no host by whose way others submit, and says what to do', async () => {
    const user = userEvent.setup();
    show(aHost(), {
      'GET /compute': () => ({ targets: [aHost(), aSlurm({ via: 'lab' })] })
    });
    await user.click(await screen.findByRole('button', { name: 'Delete…' }));
    expect(
      screen.getByText(/By way of lab jobs are submitted to cluster/)
    ).toBeVisible();
    expect(screen.getByRole('button', { name: 'Delete' })).toBeDisabled();
  });

  it('says that a token stays in the store when its target goes', async () => {
    const user = userEvent.setup();
    show({ ...aGateway(), name: 'lab' });
    await user.click(await screen.findByRole('button', { name: 'Delete…' }));
    expect(
      screen.getByText(/The secret FAR of default stays, too/)
    ).toBeVisible();
    expect(screen.getByRole('button', { name: 'Delete' })).toBeEnabled();
  });

  it('keeps what is typed while the target is asked for again', async () => {
    const user = userEvent.setup();
    let asked = 0;
    show(aSlurm(), {
      'GET /compute': () => {
        asked += 1;
        const slurm = aSlurm({ partition: `p${asked}` });
        return { targets: [{ ...slurm, name: 'lab', running: asked }] };
      }
    });
    await user.click(await screen.findByRole('button', { name: 'Edit…' }));
    expect(screen.getByLabelText('Partition')).toHaveValue('p1');
    await user.type(screen.getByLabelText('Account'), 'lab42');
    await act(() => client.invalidateQueries());
    expect(await screen.findByText(/Running \([3-9]\)/)).toBeVisible();
    expect(screen.getByLabelText('Account')).toHaveValue('lab42');
    expect(screen.getByLabelText('Account')).toHaveFocus();
    // What somebody else has changed meanwhile is not changed back.
    expect(screen.getByLabelText('Partition')).toHaveValue('p1');
  });

  it('keeps the form of a deletion open with what it was refused for, and gives the focus back', async () => {
    const user = userEvent.setup();
    show(aHost(), {
      'DELETE /compute/{name}': () => {
        throw new ApiError(409, 'compute_in_use', '1 job runs on lab.');
      }
    });
    const open = await screen.findByRole('button', { name: 'Delete…' });
    await user.click(open);
    expect(screen.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull();
    expect(open).toHaveFocus();
    await user.click(open);
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('1 job runs on lab.')).toBeVisible();
    expect(closed).not.toHaveBeenCalled();
    await user.keyboard('{Escape}');
    expect(screen.queryByText('1 job runs on lab.')).toBeNull();
    expect(open).toHaveFocus();
  });
});
