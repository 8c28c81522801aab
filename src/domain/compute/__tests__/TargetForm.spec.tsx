import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { aHost } from '../../../testing/compute';
import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { TargetForm } from '../parts/TargetForm';
import type { ComputeTarget, ShownKey } from '../types';

const KEYS: ShownKey[] = [
  {
    type: 'ssh-ed25519',
    fingerprint: 'SHA256:one',
    public_key: 'ssh-ed25519 AAAAone',
    known: false
  },
  {
    type: 'ssh-rsa',
    fingerprint: 'SHA256:two',
    public_key: 'ssh-rsa AAAAtwo',
    known: false
  }
];

describe('TargetForm of an SSH host', () => {
  const done = jest.fn();
  const left = jest.fn();
  let sent: unknown[] = [];

  function show(
    target: ComputeTarget | null,
    verbs: Record<string, (call: ICall) => unknown> = {}
  ): void {
    done.mockClear();
    left.mockClear();
    sent = [];
    const api = anApi({
      'GET /workspaces/{workspace}/secrets': () => ({
        secrets: [{ name: 'lab-key' }]
      }),
      'POST /ssh/host-keys': () => ({ keys: KEYS }),
      'POST /compute': ({ body }) => {
        sent.push(body);
        return { name: 'lab' };
      },
      'PATCH /compute/{name}': ({ body }) => sent.push(body),
      ...verbs
    });
    renderWithServer(
      <TargetForm kind="ssh" target={target} onDone={done} onCancel={left} />,
      api
    );
  }

  it('asks the host with Enter, and saves nothing before its key is agreed to', async () => {
    const user = userEvent.setup();
    show(null);
    expect(screen.getByLabelText(/^Name/)).toHaveFocus();
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Host/), 'gpu1{Enter}');
    expect(await screen.findByText('SHA256:one')).toBeVisible();
    expect(screen.getByRole('radio', { name: /SHA256:one/ })).toHaveFocus();
    const make = screen.getByRole('button', { name: 'Make the target' });
    expect(make).toBeDisabled();
    await user.click(screen.getByLabelText(/owner of the host tells/));
    expect(make).toBeEnabled();
    // Another one was not agreed to.
    await user.click(screen.getByRole('radio', { name: /SHA256:two/ }));
    expect(make).toBeDisabled();
    await user.click(screen.getByLabelText(/owner of the host tells/));
    await user.selectOptions(
      screen.getByLabelText('Private key'),
      await screen.findByRole('option', { name: 'Secret lab-key' })
    );
    await user.type(screen.getByLabelText('Port'), '{Backspace}{Enter}');
    expect(sent).toEqual([]); // another port is another host
    expect(await screen.findByText('SHA256:one')).toBeVisible();
    await user.click(screen.getByLabelText(/owner of the host tells/));
    await user.click(make);
    expect(sent).toEqual([
      {
        name: 'lab',
        max_jobs: 1,
        ssh: {
          host: 'gpu1',
          port: 2,
          host_key: 'ssh-ed25519 AAAAone',
          key: { workspace: 'default', name: 'lab-key' }
        }
      }
    ]);
    expect(done).toHaveBeenCalledWith('lab');
  });

  it('takes a fingerprint that somebody typed as it is', async () => {
    const user = userEvent.setup();
    show(null);
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Host/), 'gpu1');
    await user.type(
      screen.getByLabelText(/^Fingerprint/),
      'SHA256:told{Enter}'
    );
    expect(sent).toMatchObject([{ ssh: { host_key: 'SHA256:told' } }]);
  });

  it('believes a key that stands in known_hosts', async () => {
    const user = userEvent.setup();
    show(null, {
      'POST /ssh/host-keys': () => ({
        keys: [KEYS[0], { ...KEYS[1], known: true }]
      })
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Host/), 'gpu1{Enter}');
    expect(await screen.findByText(/stands in known_hosts/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    expect(sent).toMatchObject([{ ssh: { host_key: 'ssh-rsa AAAAtwo' } }]);
  });

  it.each([
    ['host', /^Host/, 'POST /ssh/host-keys'],
    ['name', /^Name/, 'POST /compute'],
    ['ssh.host_key', /^Fingerprint/, 'POST /compute']
  ])(
    'shows what the server says of %s at that field, which has the focus',
    async (field, label, verb) => {
      const user = userEvent.setup();
      show(null, {
        [verb]: () => {
          throw new ApiError(400, 'bad_input', 'The server says no.', field);
        }
      });
      await user.keyboard('lab');
      if (verb === 'POST /compute') {
        await user.type(screen.getByLabelText(/^Fingerprint/), 'SHA256:told');
      }
      await user.type(screen.getByLabelText(/^Host/), 'gpu1{Enter}');
      expect(await screen.findByText('The server says no.')).toBeVisible();
      const wrong = screen.getByLabelText(label);
      expect(wrong).toBeInvalid();
      expect(wrong).toHaveFocus();
      expect(wrong).toHaveAccessibleDescription(/The server says no/);
    }
  );

  it('leaves the focus where somebody types once a failure is gone', async () => {
    const user = userEvent.setup();
    show(null, {
      'POST /compute': ({ body }) => {
        sent.push(body);
        if (sent.length === 1) {
          throw new ApiError(409, 'compute_exists', 'It is there.', 'name');
        }
        return { name: 'lab2' };
      }
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Host/), 'gpu1{Enter}');
    await user.click(await screen.findByLabelText(/owner of the host tells/));
    await user.click(screen.getByRole('button', { name: 'Make the target' }));
    expect(await screen.findByText('It is there.')).toBeVisible();
    expect(screen.getByLabelText(/^Name/)).toHaveFocus();
    await user.keyboard('2');
    await waitFor(() => expect(screen.queryByText('It is there.')).toBeNull());
    expect(screen.getByLabelText(/^Name/)).toHaveFocus();
    await user.keyboard('{Enter}');
    expect(sent).toMatchObject([{ name: 'lab' }, { name: 'lab2' }]);
  });

  it('shows why a typed key is refused, also after the host did not tell its own', async () => {
    const user = userEvent.setup();
    show(null, {
      'POST /ssh/host-keys': () => {
        throw new ApiError(400, 'host_silent', 'It is silent.', 'host');
      },
      'POST /compute': () => {
        throw new ApiError(409, 'compute_exists', 'It is there.', 'name');
      }
    });
    await user.keyboard('lab');
    await user.type(screen.getByLabelText(/^Host/), 'gpu1{Enter}');
    expect(await screen.findByText('It is silent.')).toBeVisible();
    await user.type(
      screen.getByLabelText(/^Fingerprint/),
      'SHA256:told{Enter}'
    );
    expect(await screen.findByText('It is there.')).toBeVisible();
    expect(screen.queryByText('It is silent.')).toBeNull();
    expect(screen.getByLabelText(/^Name/)).toHaveFocus();
  });

  it('says what is wrong with a text while it is typed', async () => {
    const user = userEvent.setup();
    show(null);
    await user.keyboard('no good');
    await user.type(screen.getByLabelText('Port'), '99999');
    expect(screen.getByText(/^Letters, digits, “-” and “_”/)).toBeVisible();
    expect(screen.getByText('A whole number from 1 to 65535.')).toBeVisible();
    await user.keyboard('{Escape}');
    expect(left).toHaveBeenCalled();
  });

  it('sends only what was changed of a host that is there', async () => {
    const user = userEvent.setup();
    show(aHost());
    expect(screen.getByText('SHA256:kept')).toBeVisible();
    const save = screen.getByRole('button', { name: 'Save' });
    expect(save).toBeDisabled();
    const login = screen.getByLabelText(/^User/);
    await user.clear(login);
    expect(screen.getByText('It cannot be left empty.')).toBeVisible();
    expect(login).toBeInvalid();
    await user.type(login, 'ada');
    expect(login).toBeValid();
    const python = screen.getByLabelText('Python there');
    await user.clear(python);
    await user.type(python, '/opt/bin/python{Enter}');
    expect(sent).toEqual([{ ssh: { python: '/opt/bin/python' } }]);
    expect(done).toHaveBeenCalledWith('lab');
  });
});
