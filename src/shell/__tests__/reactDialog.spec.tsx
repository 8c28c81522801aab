import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import type { IWorkspaceConnection } from '../../tokens';
import { Form, TextField } from '../../ui';
import { createQueryClient } from '../queryClient';
import { openReactDialog } from '../reactDialog';

const connection = {
  api: {},
  hints: {},
  queryClient: createQueryClient()
} as unknown as IWorkspaceConnection;

/** A form whose code comes only when the test says so. */
function lateForm(): { body: () => JSX.Element; arrive: () => void } {
  let arrive: () => void = () => undefined;
  function Late(): JSX.Element {
    const [here, setHere] = useState(false);
    arrive = () => setHere(true);
    return here ? (
      <TextField label="Name" value="" onChange={() => undefined} />
    ) : (
      <p>Loading</p>
    );
  }
  return { body: () => <Late />, arrive: () => arrive() };
}

async function open(onSubmit: () => void): Promise<Promise<void>[]> {
  return openBody(close => (
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
  ));
}

async function openBody(
  body: (close: () => void) => JSX.Element
): Promise<Promise<void>[]> {
  let done: Promise<void> = Promise.resolve();
  await act(async () => {
    done = openReactDialog({
      title: 'Run as experiment',
      connection,
      translator: null,
      body
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

  it('goes to the first field as soon as there is one, and keeps the keys till then', async () => {
    const behind = document.createElement('input');
    document.body.append(behind);
    behind.focus();
    const late = lateForm();
    const [done] = await openBody(late.body);
    const user = userEvent.setup();
    await user.keyboard('x');
    expect(behind.value).toBe('');
    act(() => late.arrive());
    await waitFor(() => expect(screen.getByLabelText('Name')).toHaveFocus());
    await user.keyboard('{Escape}');
    await done;
    expect(behind).toHaveFocus();
    behind.remove();
  });

  it('lets Tab go round, and takes back a focus that strays', async () => {
    const behind = document.createElement('input');
    document.body.append(behind);
    const [done] = await open(jest.fn());
    const user = userEvent.setup();
    const name = await screen.findByLabelText('Name');
    await waitFor(() => expect(name).toHaveFocus());
    screen.getByText('Submit').focus();
    fireEvent.keyDown(screen.getByText('Submit'), { key: 'Tab' });
    // The dialog's own cross.
    expect(document.activeElement?.closest('.jp-Dialog-header')).not.toBeNull();
    const cross = document.activeElement as HTMLElement;
    fireEvent.keyDown(cross, { key: 'Tab', shiftKey: true });
    expect(screen.getByText('Submit')).toHaveFocus();
    behind.focus();
    expect(screen.getByText('Submit')).toHaveFocus();
    await user.keyboard('{Escape}');
    await done;
    behind.remove();
  });

  it('still hears Escape when what had the focus is gone', async () => {
    const [done] = await open(jest.fn());
    const user = userEvent.setup();
    (await screen.findByLabelText('Name')).blur();
    expect(document.body).toHaveFocus();
    await user.keyboard('{Escape}');
    await done;
    expect(screen.queryByText('Run as experiment')).toBeNull();
  });

  it('closes by a click beside it only while nothing is typed', async () => {
    const beside = (): HTMLElement =>
      document.querySelector('.jp-mlws-dialog') as HTMLElement;
    const user = userEvent.setup();
    const [first] = await open(jest.fn());
    await user.click(beside());
    await first;
    const [second] = await open(jest.fn());
    await user.type(await screen.findByLabelText('Name'), 'x');
    await user.click(beside());
    expect(screen.getByText('Run as experiment')).toBeInTheDocument();
    await user.keyboard('{Escape}');
    await second;
  });
});
