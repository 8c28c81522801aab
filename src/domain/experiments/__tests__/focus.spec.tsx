import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import { aRun } from '../../../testing/runs';
import { NameInput } from '../parts/NameInput';
import { flatRuns } from '../rows';
import { successor } from '../useKeepFocus';

function Row(props: { save: (name: string) => Promise<void> }): JSX.Element {
  const [editing, setEditing] = useState(true);
  return (
    <>
      <div role="treeitem" aria-selected tabIndex={0}>
        {editing && (
          <NameInput
            name="old"
            label="name"
            save={props.save}
            onDone={() => setEditing(false)}
          />
        )}
      </div>
      <button>elsewhere</button>
    </>
  );
}

describe('the focus after a name was edited', () => {
  it.each(['{Escape}', 'x{Enter}', '{Enter}'])('%s: the row', async keys => {
    const save = jest.fn(() => Promise.resolve());
    render(<Row save={save} />);
    const user = userEvent.setup();
    await user.click(screen.getByLabelText('name'));
    await user.keyboard(keys);
    await waitFor(() => expect(screen.getByRole('treeitem')).toHaveFocus());
    expect(save).toHaveBeenCalledTimes(keys.startsWith('x') ? 1 : 0);
  });

  it('stays where somebody went', async () => {
    render(<Row save={() => Promise.resolve()} />);
    const user = userEvent.setup();
    await user.type(screen.getByLabelText('name'), 'x');
    await user.click(screen.getByText('elsewhere'));
    await waitFor(() => expect(screen.queryByLabelText('name')).toBeNull());
    expect(screen.getByText('elsewhere')).toHaveFocus();
  });
});

describe('successor', () => {
  const rows = (ids: string): ReturnType<typeof flatRuns> =>
    flatRuns(
      [...ids].map(id => aRun({ id })),
      0
    );

  it('is the next row, or the one before the last', () => {
    expect(successor(rows('abc'), rows('ac'), 'run:b')).toBe(1);
    expect(successor(rows('abc'), rows('ab'), 'run:c')).toBe(1);
    expect(successor(rows('abc'), rows('xac'), 'run:b')).toBe(2);
    expect(successor(rows('abc'), rows('abc'), 'run:b')).toBe(-1);
    expect(successor(rows('b'), [], 'run:b')).toBe(-1);
  });
});
