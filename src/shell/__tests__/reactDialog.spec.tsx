import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import type { IWorkspaceConnection } from '../../tokens';
import { Form, TextField } from '../../ui';
import { createQueryClient } from '../queryClient';
import { openReactDialog } from '../reactDialog';

const connection = {
  api: {},
  hints: {},
  queryClient: createQueryClient()
} as unknown as IWorkspaceConnection;

async function open(onSubmit: () => void): Promise<Promise<void>[]> {
  let done: Promise<void> = Promise.resolve();
  await act(async () => {
    done = openReactDialog({
      title: 'Run as experiment',
      connection,
      translator: null,
      body: close => (
        <Form
          label="Run"
          submitLabel="Submit"
          onCancel={close}
          onSubmit={() => {
            onSubmit();
            close();
          }}
        >
          <TextField label="Name" value="" onChange={() => undefined} />
        </Form>
      )
    });
    await new Promise(resolve => setTimeout(resolve, 50));
  });
  // In a list, since an async function would wait for a bare promise.
  return [done];
}

describe('openReactDialog', () => {
  it('leaves Enter to the form, and ends when it closes', async () => {
    const onSubmit = jest.fn();
    const [done] = await open(onSubmit);
    const user = userEvent.setup();
    await user.click(await screen.findByLabelText('Name'));
    await user.keyboard('{Enter}');
    await done;
    expect(onSubmit).toHaveBeenCalledTimes(1);
    expect(screen.queryByText('Run as experiment')).toBeNull();
  });

  it('lets Enter press the focused button, and Escape leave', async () => {
    const onSubmit = jest.fn();
    const user = userEvent.setup();
    const [first] = await open(onSubmit);
    (await screen.findByText('Cancel')).focus();
    await user.keyboard('{Enter}');
    await first;
    const [second] = await open(onSubmit);
    (await screen.findByLabelText('Name')).focus();
    await user.keyboard('{Escape}');
    await second;
    expect(onSubmit).not.toHaveBeenCalled();
  });
});
