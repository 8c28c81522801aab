import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import type { Drafts } from '../drafts';
import { ParameterList } from '../parts/ParameterList';
import { SnapshotSummary } from '../parts/SnapshotSummary';
import type { NotebookInspection } from '../types';
import { aField, anInspection } from './factories';

const NO = false as unknown;

function Parameters(props: {
  inspection: NotebookInspection;
  onTagCell?: () => Promise<void>;
}): JSX.Element {
  const [drafts, setDrafts] = useState<Drafts>({});
  return (
    <QueryClientProvider client={new QueryClient()}>
      <ParameterList
        subject={props.inspection}
        drafts={drafts}
        problems={drafts['lr'] === 'x' ? { 'parameters.lr': 'Not x' } : {}}
        disabled={false}
        onChange={setDrafts}
        onTagCell={props.onTagCell ?? null}
      />
    </QueryClientProvider>
  );
}

describe('ParameterList', () => {
  const inspection = anInspection({
    parameters: [
      aField({ help: '<img src=x onerror=alert(1)>' }),
      aField({
        name: 'aug',
        type: 'bool',
        default: NO,
        default_source: 'False',
        help: ''
      })
    ]
  });

  it('shows defaults with their comments, as text', () => {
    const { container } = render(<Parameters inspection={inspection} />);
    expect(screen.getByLabelText('lr')).toHaveValue('1e-3');
    expect(screen.getByLabelText('lr')).toHaveAccessibleDescription(
      '<img src=x onerror=alert(1)>'
    );
    expect(screen.getByLabelText('aug')).not.toBeChecked();
    expect(container.querySelector('img')).toBeNull();
  });

  it('resets one field, and all of them', async () => {
    const user = userEvent.setup();
    render(<Parameters inspection={inspection} />);
    const rate = screen.getByLabelText('lr');
    await user.clear(rate);
    await user.type(rate, 'x');
    expect(rate).toBeInvalid();
    expect(screen.getByRole('alert')).toHaveTextContent('Not x');
    await user.click(screen.getByRole('button', { name: 'Reset lr to 1e-3' }));
    expect(rate).toHaveValue('1e-3');
    await user.click(screen.getByLabelText('aug'));
    expect(screen.getByText('1 changed')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Reset all' }));
    expect(screen.getByLabelText('aug')).not.toBeChecked();
  });

  it('offers to tag a cell only where the notebook is open', async () => {
    const user = userEvent.setup();
    const tag = jest.fn().mockRejectedValue(new Error('No code cell.'));
    const none = anInspection({ parameters: [], has_parameters_cell: false });
    const { rerender } = render(<Parameters inspection={none} />);
    expect(screen.queryByRole('button')).toBeNull();
    rerender(<Parameters inspection={none} onTagCell={tag} />);
    await user.click(
      screen.getByRole('button', { name: 'Tag the selected cell' })
    );
    expect(await screen.findByRole('alert')).toHaveTextContent('No code cell.');
  });
});

describe('SnapshotSummary', () => {
  it('tells what is taken, what is not, and asks where it must', async () => {
    const user = userEvent.setup();
    const confirm = jest.fn();
    render(
      <SnapshotSummary
        inspection={anInspection({ not_captured: ['data', 'big.bin'] })}
        target={undefined}
        confirmation="This is your home folder."
        confirmed={false}
        problem={undefined}
        onConfirm={confirm}
      />
    );
    expect(
      screen.getByText('Snapshot: 2 files of this folder, 2 KiB.')
    ).toBeInTheDocument();
    expect(screen.getByText('big.bin')).toBeInTheDocument();
    expect(screen.getByText('This is your home folder.')).toBeInTheDocument();
    await user.click(screen.getByLabelText('Take this snapshot'));
    expect(confirm).toHaveBeenCalledWith(true);
  });
});
