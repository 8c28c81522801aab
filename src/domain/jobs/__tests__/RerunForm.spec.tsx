import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import type { Job, ReRun } from '../../runs';
import { RerunForm } from '../RerunForm';
import { aField, aJob } from './factories';

const anything = (value: unknown): never => value as never;
const FIELDS = [
  aField(),
  aField({
    name: 'augment',
    type: 'bool',
    default: anything(false),
    default_source: 'False',
    help: 'flip images'
  })
];

/** The form of a job; `refuse` is what the server says to the next try. */
async function openForm(
  job: Job = aJob({ parameters: { augment: true } }),
  gone = false
) {
  const sent: ReRun[] = [];
  const keys: (string | undefined)[] = [];
  const server: { refuse: Error | null; gone: boolean } = {
    refuse: null,
    gone
  };
  const onClose = jest.fn();
  const api = anApi({
    'GET /jobs/{run_id}': () => job,
    'GET /jobs/{run_id}/parameters': () => {
      if (server.gone) {
        throw new ApiError(404, 'file_not_there', 'The file is gone.');
      }
      return { parameters: FIELDS };
    },
    'GET /kernels': () => ({
      kernels: [
        { name: 'python3', display_name: 'Python 3', language: 'python' }
      ]
    }),
    'GET /compute': () => ({ targets: [] }),
    'GET /workspaces/{workspace}/environments': () => ({
      environments: [],
      next_cursor: null
    }),
    'GET /workspaces/{workspace}/experiments': () => ({
      experiments: [{ name: 'train' }],
      next_cursor: null
    }),
    'POST /jobs/{run_id}/rerun': ({ body, headers }) => {
      sent.push(body as ReRun);
      keys.push(headers?.['Idempotency-Key']);
      if (server.refuse) {
        throw server.refuse;
      }
      return aJob({ run: aRun({ id: 'next' }) });
    }
  });
  const { client } = renderWithServer(
    <RerunForm
      run={aRun({ id: 'r', kind: job.spec.kind })}
      onClose={onClose}
    />,
    api
  );
  await screen.findByRole('form', { name: 'Edit and re-run' });
  return { sent, keys, server, onClose, client, user: userEvent.setup() };
}

describe('RerunForm', () => {
  it('is the form of the submit, with what the run had', async () => {
    const { user, sent, onClose } = await openForm();
    const augment = screen.getByRole('checkbox', { name: 'augment' });
    expect(augment).toBeChecked();
    expect(augment).toHaveAccessibleDescription('flip images · default: False');
    expect(screen.getByLabelText('lr')).toHaveValue('1e-3');
    expect(screen.getByLabelText('lr')).toHaveAccessibleDescription(
      'step size'
    );
    expect(screen.getByRole('combobox', { name: 'Experiment' })).toHaveFocus();
    // What differs is what differs from the run.
    expect(screen.queryByText(/changed/)).toBeNull();
    await user.click(augment);
    expect(screen.getByText('1 changed')).toBeInTheDocument();
    await user.click(
      screen.getByRole('button', { name: 'Reset augment to True' })
    );
    expect(augment).toBeChecked();

    await user.clear(screen.getByLabelText('lr'));
    await user.type(screen.getByLabelText('lr'), 'fast');
    expect(screen.getByRole('alert')).toHaveTextContent('A number is needed');
    expect(screen.getByRole('button', { name: 'Run' })).toBeDisabled();
    await user.clear(screen.getByLabelText('lr'));
    await user.click(augment);
    await user.type(screen.getByLabelText('lr'), '0.5{Enter}');
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(sent).toEqual([{ parameters: { lr: 0.5, augment: false } }]);
  });

  it('shows the server’s objection at its field, until that is changed', async () => {
    const { user, server, onClose } = await openForm();
    server.refuse = new ApiError(400, 'x', 'Too fast.', 'parameters.lr');
    const rate = screen.getByLabelText('lr');
    await user.type(rate, '0{Enter}');
    expect(await screen.findByRole('alert')).toHaveTextContent('Too fast.');
    expect(rate).toBeInvalid();
    expect(rate).toHaveAccessibleDescription('step size Too fast.');
    await user.type(rate, '1');
    expect(screen.queryByRole('alert')).toBeNull();
    // What is about none of its fields stands below them.
    server.refuse = new ApiError(404, 'file_not_there', 'The file is gone.');
    await user.keyboard('{Enter}');
    expect(await screen.findByText(/The file is gone/)).toBeInTheDocument();
    expect(onClose).not.toHaveBeenCalled();
  });

  it('is known to the server when it is sent again', async () => {
    const { user, server, keys, onClose } = await openForm();
    server.refuse = new TypeError('Failed to fetch');
    await user.type(screen.getByLabelText('lr'), '0{Enter}');
    await screen.findByRole('alert');
    await user.keyboard('{Enter}');
    await waitFor(() => expect(keys).toHaveLength(2));
    server.refuse = null;
    await user.type(screen.getByLabelText('lr'), '1{Enter}');
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    const [first, second, other] = keys;
    expect(first).toMatch(/./);
    expect(second).toBe(first);
    expect(other).not.toBe(first);
  });

  it('stays as it is while the parameters are asked for again, in vain', async () => {
    const { user, client } = await openForm(undefined, true);
    // Without the notebook's own words the values that the run was given are there.
    const augment = screen.getByRole('textbox', { name: 'augment' });
    await user.type(screen.getByLabelText('Run name'), 'kept');
    await act(() => client.refetchQueries());
    expect(screen.getByLabelText('Run name')).toHaveValue('kept');
    expect(augment).toBeInTheDocument();
  });

  it('is left with Escape', async () => {
    const { user, onClose, sent } = await openForm();
    await user.type(screen.getByLabelText('lr'), '0{Escape}');
    expect(onClose).toHaveBeenCalled();
    expect(sent).toEqual([]);
  });

  it('edits the line of a command', async () => {
    const { user, sent, onClose } = await openForm(
      aJob({ spec: { kind: 'command', command: 'echo one' } })
    );
    expect(screen.queryByLabelText('Kernel')).toBeNull();
    expect(screen.queryByText('Parameters')).toBeNull();
    const line = screen.getByLabelText('Command');
    await user.clear(line);
    expect(screen.getByRole('button', { name: 'Run' })).toBeDisabled();
    await user.type(line, 'echo two{Control>}{Enter}{/Control}');
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(sent).toEqual([{ command: 'echo two' }]);
  });

  it('does not hide what stays in force', async () => {
    await openForm(aJob({ timeout_s: 60, env_names: ['TOKEN'] }));
    expect(screen.getByLabelText('Time limit')).toHaveValue('1m');
    expect(screen.getByLabelText('Time limit')).toBeVisible();
    expect(screen.getByLabelText('Environment variables')).toHaveValue('TOKEN');
    expect(screen.queryByText(/own folder/)).toBeNull();
  });
});
