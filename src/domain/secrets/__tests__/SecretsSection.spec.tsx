import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { SecretsSection } from '..';
import type { Secret } from '../queries';

function aSecret(part: Partial<Secret>): Secret {
  return {
    name: 'HF_TOKEN',
    created_at: 0,
    created_by: 'ann',
    updated_at: 0,
    updated_by: 'ann',
    readable: true,
    waiting: [],
    jobs: 0,
    ...part
  };
}

/** The section of a workspace with these secrets; what it sends is kept. */
function renderSection(
  secrets: Secret[],
  put: (call: ICall) => unknown = () => aSecret({})
): { sent: ICall[] } {
  const sent: ICall[] = [];
  const keep =
    (answer: (call: ICall) => unknown) =>
    (call: ICall): unknown => {
      sent.push(call);
      return answer(call);
    };
  const api = anApi({
    'GET /workspaces/{workspace}/secrets': () => ({ secrets, kept: '' }),
    'PUT /workspaces/{workspace}/secrets/{name}': keep(put),
    'DELETE /workspaces/{workspace}/secrets/{name}': keep(() => undefined)
  });
  renderWithServer(<SecretsSection workspace="vision" readOnly={false} />, api);
  return { sent };
}

describe('SecretsSection', () => {
  it('makes a secret whose value is typed unseen, and shows it nowhere', async () => {
    const user = userEvent.setup();
    const { sent } = renderSection([]);
    await user.click(
      await screen.findByRole('button', { name: 'New secret…' })
    );
    const value = screen.getByLabelText('Value');
    expect(value).toHaveAttribute('type', 'password');
    await user.type(screen.getByLabelText('Name'), 'wrong name');
    await user.type(value, 's3cr3t');
    expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled();
    await user.clear(screen.getByLabelText('Name'));
    await user.type(screen.getByLabelText('Name'), 'HF_TOKEN');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(sent).toEqual([
      {
        params: { path: { workspace: 'vision', name: 'HF_TOKEN' } },
        body: { value: 's3cr3t' }
      }
    ]);
    expect(document.body.innerHTML).not.toContain('s3cr3t');
  });

  it('replaces a value by name alone, and says at the field what is wrong with it', async () => {
    const user = userEvent.setup();
    renderSection([aSecret({})], () => {
      throw new ApiError(400, 'unusable_secret', 'Too short.', 'value');
    });
    await user.click(
      await screen.findByRole('button', {
        name: 'Replace the value of HF_TOKEN'
      })
    );
    expect(screen.queryByLabelText('Name')).toBeNull();
    await user.type(screen.getByLabelText('Value'), 'abc');
    await user.click(screen.getByRole('button', { name: 'Replace' }));
    expect(await screen.findByText('Too short.')).toBeInTheDocument();
  });

  it('asks for the name before a secret goes that jobs wait for', async () => {
    const user = userEvent.setup();
    const { sent } = renderSection([aSecret({ waiting: ['a', 'b'], jobs: 5 })]);
    const row = await screen.findByRole('row', { name: /HF_TOKEN/ });
    expect(
      within(row).getByText('5 jobs, 2 of them not ended')
    ).toBeInTheDocument();
    await user.click(
      within(row).getByRole('button', { name: 'Delete HF_TOKEN' })
    );
    expect(screen.getByText(/2 jobs that wait or run name it/)).toBeVisible();
    const button = screen.getByRole('button', { name: 'Delete for ever' });
    expect(button).toBeDisabled();
    await user.type(screen.getByLabelText(/Type “HF_TOKEN”/), 'HF_TOKEN');
    await user.click(button);
    expect(sent).toHaveLength(1);
  });

  it('says of a secret whose key is gone what to do', async () => {
    renderSection([aSecret({ readable: false })]);
    expect(
      await screen.findByText('Its key is gone: set it anew')
    ).toBeInTheDocument();
  });
});
