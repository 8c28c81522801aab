import { screen } from '@testing-library/react';
import userEvent, { type UserEvent } from '@testing-library/user-event';

import { anApi, renderWithServer } from '../../../testing/server';
import { NameEditor } from '../parts/NameEditor';

function renderEditor(): { renamed: string[]; user: UserEvent } {
  const renamed: string[] = [];
  renderWithServer(
    <NameEditor name="before" onRename={name => renamed.push(name)} />,
    anApi({})
  );
  return { renamed, user: userEvent.setup() };
}

describe('NameEditor', () => {
  it('takes the name at Enter, and the pencil is not pressed by it', async () => {
    const { renamed, user } = renderEditor();
    await user.click(screen.getByRole('button', { name: 'Rename' }));
    await user.keyboard('after{Enter}');
    expect(renamed).toEqual(['after']);
    expect(screen.queryByLabelText('Name of the run')).toBeNull();
    expect(screen.getByRole('button', { name: 'Rename' })).toHaveFocus();
  });

  it('leaves the name at Escape and when nothing was changed', async () => {
    const { renamed, user } = renderEditor();
    for (const keys of ['after{Escape}', '{Enter}']) {
      await user.click(screen.getByRole('button', { name: 'Rename' }));
      await user.keyboard(keys);
      expect(
        screen.getByRole('heading', { name: 'before' })
      ).toBeInTheDocument();
    }
    expect(renamed).toEqual([]);
  });
});
