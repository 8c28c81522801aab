import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError, ConnectionError } from '../../../api/errors';
import {
  aGateway,
  aHost,
  anLsf,
  aPbs,
  aSlurm,
  aTarget
} from '../../../testing/compute';
import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { NewTarget } from '../parts/NewTarget';
import { TargetForm } from '../parts/TargetForm';
import { kindOf } from '../fields';
import type { ComputeTarget } from '../types';

const done = jest.fn();
const left = jest.fn();
let calls: [string, unknown][] = [];

function api(
  verbs: Record<string, (call: ICall) => unknown> = {}
): ReturnType<typeof anApi> {
  done.mockClear();
  left.mockClear();
  calls = [];
  const noted =
    (name: string, answer: unknown) =>
    ({ params, body }: ICall): unknown => {
      const path = Object.values(params?.path ?? {}).join('/');
      calls.push([`${name} ${path}`.trim(), body]);
      return answer;
    };
  return anApi({
    'GET /compute': () => ({
      targets: [aTarget(), aHost({ name: 'login' }), aSlurm()]
    }),
    'GET /workspaces/{workspace}/secrets': () => ({
      secrets: [{ name: 'far-token' }]
    }),
    'PUT /workspaces/{workspace}/secrets/{name}': noted('PUT', {}),
    'DELETE /workspaces/{workspace}/secrets/{name}': noted('DELETE', {}),
    'POST /compute': noted('POST', { name: 'made' }),
    'PATCH /compute/{name}': noted('PATCH', {}),
    ...verbs
  });
}

function refused(field?: string): () => never {
  return () => {
    throw new ApiError(400, 'bad_input', 'The server says no.', field);
  };
}

async function choose(
  kind: string,
  verbs: Record<string, (call: ICall) => unknown> = {}
): Promise<ReturnType<typeof userEvent.setup>> {
  const user = userEvent.setup();
  renderWithServer(<NewTarget onDone={done} onCancel={left} />, api(verbs));
  await user.click(screen.getByRole('button', { name: kind }));
  return user;
}

function edit(
  target: ComputeTarget,
  verbs: Record<string, (call: ICall) => unknown> = {}
): ReturnType<typeof userEvent.setup> {
  renderWithServer(
    <TargetForm
      kind={kindOf(target) ?? 'ssh'}
      target={target}
      onDone={done}
      onCancel={left}
    />,
    api(verbs)
  );
  return userEvent.setup();
}

describe('the kind of a new target', () => {
  it('is chosen first, by keys, and says what each is for', async () => {
    const user = userEvent.setup();
    renderWithServer(<NewTarget onDone={done} onCancel={left} />, api());
    const host = screen.getByRole('button', { name: 'SSH host' });
    expect(host).toHaveFocus();
    expect(host).toHaveAccessibleDescription(/machine that this server logs/);
    await user.keyboard('{Tab}{Tab}{Tab}{Tab}{Enter}');
    expect(screen.getByRole('form')).toHaveAccessibleName('New Jupyter server');
    expect(screen.getByLabelText(/^Name/)).toHaveFocus();
    await user.click(screen.getByRole('button', { name: 'Back' }));
    expect(
      screen.getByRole('button', { name: 'Jupyter server' })
    ).toHaveFocus();
    await user.keyboard('{Escape}');
    expect(left).toHaveBeenCalled();
  });

  it('can be chosen anew, and nothing that was typed is lost but the token', async () => {
    const user = await choose('Jupyter server');
    await user.keyboard('far');
    await user.type(screen.getByLabelText(/^Address \*/), 'https://far');
    await user.type(screen.getByLabelText('Token *'), 'told');
    await user.click(screen.getByRole('button', { name: 'Back' }));
    await user.click(screen.getByRole('button', { name: 'Slurm cluster' }));
    expect(screen.getByLabelText(/^Name/)).toHaveValue('far');
    await user.clear(screen.getByLabelText(/^Name/));
    await user.type(screen.getByLabelText(/^Name/), 'near');
    await user.click(screen.getByRole('button', { name: 'Back' }));
    await user.click(screen.getByRole('button', { name: 'Jupyter server' }));
    expect(screen.getByLabelText(/^Name/)).toHaveValue('near');
    expect(screen.getByLabelText(/^Address \*/)).toHaveValue('https://far');
    expect(screen.getByLabelText('Token *')).toHaveValue('');
  });
});

describe('the key of an SSH host', () => {
  it('that was shown and not agreed to is no typed one when the form is there again', async () => {
    const key = { type: 'ed25519', fingerprint: 'SHA256:one', known: false };
    const user = await choose('SSH host', {
      'POST /ssh/host-keys': () => ({ keys: [{ ...key, public_key: 'AAAA' }] })
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Host/), 'gpu1{Enter}');
    expect(await screen.findByText('SHA256:one')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Back' }));
    await user.click(screen.getByRole('button', { name: 'SSH host' }));
    expect(screen.getByLabelText(/^Host/)).toHaveValue('gpu1');
    expect(screen.getByLabelText(/^Fingerprint/)).toHaveValue('');
    await user.type(screen.getByLabelText(/^Fingerprint/), 'SHA256:two');
    await user.click(screen.getByRole('button', { name: 'Back' }));
    await user.click(screen.getByRole('button', { name: 'SSH host' }));
    expect(screen.getByLabelText(/^Fingerprint/)).toHaveValue('SHA256:two');
    expect(calls).toEqual([]);
  });
});

describe('the form of Slurm', () => {
  it('asks Slurm for what is typed, and leaves the rest to it', async () => {
    const user = await choose('Slurm cluster');
    await user.keyboard('cluster');
    await user.type(screen.getByLabelText('Partition'), 'gpu');
    await user.type(screen.getByLabelText('Time limit'), '90 min');
    await user.selectOptions(
      screen.getByLabelText('Submits from'),
      await screen.findByRole('option', { name: 'login (gpu1)' })
    );
    // Slurm's own targets are no way to it.
    expect(screen.queryByRole('option', { name: /^cluster/ })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    const slurm = { partition: 'gpu', time_limit_s: 5400, via: 'login' };
    expect(calls).toEqual([
      ['POST', { name: 'cluster', max_jobs: 100, slurm }]
    ]);
    expect(done).toHaveBeenCalledWith('made');
  });

  it('of PBS asks in its own words, and as its resources are asked for', async () => {
    const user = await choose('PBS cluster');
    await user.keyboard('cluster');
    expect(screen.getByText(/^Where qsub is/)).toBeVisible();
    await user.type(screen.getByLabelText('Queue'), 'batch@head');
    await user.click(
      screen.getByText('Python, resources, jobs at once and more')
    );
    await user.selectOptions(
      screen.getByLabelText('Asks for resources as'),
      'pro'
    );
    await user.type(screen.getByLabelText('Project'), '-p');
    expect(screen.getByLabelText('Project')).toBeInvalid();
    await user.clear(screen.getByLabelText('Project'));
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    const pbs = { queue: 'batch@head', dialect: 'pro' };
    expect(calls).toEqual([['POST', { name: 'cluster', max_jobs: 100, pbs }]]);
  });

  it('of PBS is changed, with what differs alone', async () => {
    const user = edit(aPbs({ queue: 'batch', dialect: 'torque' }));
    await user.clear(screen.getByLabelText('Queue'));
    await user.selectOptions(
      screen.getByLabelText('Asks for resources as'),
      'qstat --version tells'
    );
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(calls).toEqual([
      ['PATCH cluster', { pbs: { queue: null, dialect: null } }]
    ]);
  });

  it('of LSF asks in its own words, and for no account', async () => {
    const user = await choose('LSF cluster');
    await user.keyboard('cluster');
    expect(screen.getByText(/^Where bsub is/)).toBeVisible();
    expect(screen.queryByLabelText('Account')).toBeNull();
    await user.type(screen.getByLabelText('Queue'), 'normal');
    await user.type(screen.getByLabelText('Project'), '-p');
    expect(screen.getByLabelText('Project')).toBeInvalid();
    await user.clear(screen.getByLabelText('Project'));
    await user.click(screen.getByText('Python, application profile and more'));
    await user.type(screen.getByLabelText('User group'), 'team');
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    const lsf = { queue: 'normal', user_group: 'team' };
    expect(calls).toEqual([['POST', { name: 'cluster', max_jobs: 100, lsf }]]);
  });

  it('of LSF is changed, with what differs alone', async () => {
    const user = edit(anLsf({ queue: 'normal', application: 'gpu' }));
    await user.click(screen.getByText('Python, application profile and more'));
    await user.clear(screen.getByLabelText('Application profile'));
    await user.type(screen.getByLabelText('Project'), 'p1');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(calls).toEqual([
      ['PATCH cluster', { lsf: { project: 'p1', application: null } }]
    ]);
  });

  it('says how to go by way of a login node where there is none', async () => {
    await choose('Slurm cluster', {
      'GET /compute': () => ({ targets: [aTarget()] })
    });
    expect(await screen.findByText(/make that a target first/)).toBeVisible();
  });

  it('says what is wrong while it is typed', async () => {
    const user = await choose('Slurm cluster');
    await user.keyboard('cluster');
    await user.type(screen.getByLabelText('Account'), '-x');
    await user.type(screen.getByLabelText('Time limit'), '30s');
    expect(screen.getByLabelText('Account')).toBeInvalid();
    expect(screen.getByText(/A span from one minute on/)).toBeVisible();
    expect(
      screen.getByRole('button', { name: 'Make the target' })
    ).toBeDisabled();
  });

  it('opens what is folded where the server refuses it', async () => {
    const user = await choose('Slurm cluster', {
      'POST /compute': refused('slurm.server_url')
    });
    await user.keyboard('cluster{Enter}');
    const field = screen.getByLabelText(/^Address of this server/);
    await waitFor(() => expect(field).toBeInvalid());
    expect(field).toHaveAccessibleDescription(/The server says no/);
    await waitFor(() => expect(field).toBeVisible());
    expect(field).toHaveFocus();
  });

  it('changes what differs, and takes away what is emptied', async () => {
    const user = edit(
      aSlurm({ partition: 'gpu', account: 'lab', via: 'gone' })
    );
    expect(screen.getByText(/Its name and its kind stay/)).toBeVisible();
    expect(screen.queryByLabelText(/^Name/)).toBeNull();
    expect(screen.getByLabelText('Submits from')).toHaveValue('gone');
    expect(screen.getByLabelText('Submits from')).toHaveFocus();
    await user.clear(screen.getByLabelText('Account'));
    const python = screen.getByLabelText(/^Python on the nodes/);
    await user.clear(python);
    expect(python).toBeInvalid();
    await user.type(python, '/usr/bin/python3');
    await user.selectOptions(screen.getByLabelText('Submits from'), '');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(calls).toEqual([
      ['PATCH cluster', { slurm: { account: null, via: null } }]
    ]);
  });
});

describe('the form of a Jupyter server', () => {
  it('keeps the token in a secret that no one has, and names that', async () => {
    const user = await choose('Jupyter server');
    await user.keyboard('far');
    await user.type(screen.getByLabelText(/^Address \*/), 'https://far/user/a');
    const make = screen.getByRole('button', { name: 'Make the target' });
    expect(make).toBeDisabled();
    const token = screen.getByLabelText('Token *');
    expect(token).toHaveAttribute('type', 'password');
    expect(token).toHaveAccessibleDescription(/far-token-2 of default/);
    await user.type(token, 'told');
    await user.click(make);
    expect(calls).toEqual([
      ['PUT default/far-token-2', { value: 'told' }],
      [
        'POST',
        {
          name: 'far',
          max_jobs: 1,
          gateway: {
            url: 'https://far/user/a',
            token: { workspace: 'default', name: 'far-token-2' },
            fetch_limit_bytes: 10_000_000_000,
            patience_s: 300
          }
        }
      ]
    ]);
    expect(done).toHaveBeenCalledWith('made');
  });

  it('takes the new secret away again where the target is refused', async () => {
    const user = await choose('Jupyter server', {
      'POST /compute': refused('gateway.url')
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText('Token *'), 'told');
    await user.type(screen.getByLabelText(/^Address \*/), 'https://far{Enter}');
    expect(await screen.findByText('The server says no.')).toBeVisible();
    expect(screen.getByLabelText(/^Address \*/)).toHaveFocus();
    expect(screen.getByLabelText('Token *')).toHaveValue('told');
    expect(calls.map(([name]) => name)).toEqual([
      'PUT default/lab-token',
      'DELETE default/lab-token'
    ]);
  });

  it('keeps the new secret where nobody knows what became of the target', async () => {
    const user = await choose('Jupyter server', {
      'POST /compute': () => {
        throw new ConnectionError('GET /compute');
      }
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText('Token *'), 'told');
    await user.type(screen.getByLabelText(/^Address \*/), 'https://far{Enter}');
    expect(await screen.findByRole('alert')).toBeVisible();
    expect(calls.map(([name]) => name)).toEqual(['PUT default/lab-token']);
  });

  it('shows at the token why its value cannot be kept', async () => {
    const user = await choose('Jupyter server', {
      'PUT /workspaces/{workspace}/secrets/{name}': refused('value')
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Address \*/), 'https://far');
    await user.type(screen.getByLabelText('Token *'), 'x{Enter}');
    await waitFor(() => expect(screen.getByLabelText('Token *')).toBeInvalid());
    expect(calls).toEqual([]);
  });

  it('sends no token where none is asked for, or one that is kept already', async () => {
    const user = await choose('Jupyter server');
    await user.keyboard('far');
    await user.type(screen.getByLabelText(/^Address \*/), 'https://far');
    const source = screen.getByLabelText('Token from');
    await user.selectOptions(source, '');
    expect(screen.queryByLabelText(/^Token \*/)).toBeNull();
    await user.selectOptions(
      source,
      await screen.findByRole('option', { name: 'Secret far-token' })
    );
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    const token = { workspace: 'default', name: 'far-token' };
    expect(calls).toMatchObject([['POST', { gateway: { token } }]]);
  });

  it('wants it to be meant where nothing is encrypted', async () => {
    const user = await choose('Jupyter server');
    await user.keyboard('far');
    await user.selectOptions(screen.getByLabelText('Token from'), '');
    const address = screen.getByLabelText(/^Address \*/);
    await user.type(address, 'http://127.0.0.1:8888');
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(address).toBeValid();
    await user.clear(address);
    await user.type(address, 'http://far:8888');
    expect(address).toBeInvalid();
    await user.click(screen.getByRole('checkbox'));
    expect(address).toBeValid();
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    expect(calls).toMatchObject([['POST', { gateway: { insecure: true } }]]);
    // It is not meant of an address that is encrypted.
    await user.clear(address);
    await user.type(address, 'https://far{Enter}');
    await waitFor(() => expect(calls).toHaveLength(2));
    expect(calls[1]).not.toHaveProperty([1, 'gateway', 'insecure']);
  });

  it('keeps the token that is left empty, and replaces its value where one is typed', async () => {
    const user = edit(aGateway());
    const save = screen.getByRole('button', { name: 'Save' });
    expect(save).toBeDisabled();
    const token = screen.getByLabelText('Another token');
    expect(token).toHaveAccessibleDescription(/value of the secret FAR/);
    await user.type(token, 'new one');
    await user.click(save);
    expect(calls).toEqual([['PUT default/FAR', { value: 'new one' }]]);
    expect(done).toHaveBeenCalledWith('far');
  });

  it('keeps the token that a target has where the rest is refused', async () => {
    const user = edit(aGateway(), {
      'PATCH /compute/{name}': refused('gateway.ca_file')
    });
    await user.type(screen.getByLabelText('Certificates'), '/gone.pem');
    await user.type(screen.getByLabelText('Another token'), 'new one{Enter}');
    await waitFor(() =>
      expect(screen.getByLabelText('Certificates')).toBeInvalid()
    );
    expect(calls).toEqual([]);
  });

  it('sends the token of the new address to no other one', async () => {
    const user = edit(aGateway());
    await user.type(screen.getByLabelText(/^Address \*/), '/user/a');
    const token = screen.getByLabelText('Another token');
    expect(token).toHaveAccessibleDescription(/goes to the new address/);
    await user.type(token, 'new one{Enter}');
    await waitFor(() => expect(done).toHaveBeenCalled());
    expect(calls).toEqual([
      ['PUT default/far-token-2', { value: 'new one' }],
      [
        'PATCH far',
        {
          gateway: {
            url: 'https://jupyter.lab/user/a',
            token: { workspace: 'default', name: 'far-token-2' }
          }
        }
      ]
    ]);
  });

  it('takes away what is emptied, and gives back what is usual', async () => {
    const user = edit(
      aGateway({ kernel: 'ir', ca_file: '/ca.pem', patience_s: 60 })
    );
    await user.clear(screen.getByLabelText('Kernel'));
    await user.clear(screen.getByLabelText('Certificates'));
    await user.clear(screen.getByLabelText('May be cut off for'));
    await user.selectOptions(screen.getByLabelText('Token from'), '');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(calls).toEqual([
      [
        'PATCH far',
        {
          gateway: {
            token: null,
            kernel: null,
            ca_file: null,
            patience_s: 300
          }
        }
      ]
    ]);
  });
});
