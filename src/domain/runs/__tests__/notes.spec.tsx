import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { RunHostProvider, type IRunHost } from '../host';
import { withoutUpdate, withUpdate } from '../mutations';
import { NoteCard } from '../overview/NoteCard';
import { useRun } from '../queries';

const host = {
  Markdown: ({ source }: { source: string }) => <p>{source}</p>
} as unknown as IRunHost;

/** The note of a run that others change too. */
function openNote() {
  const server = { run: aRun({ id: 'r', note: 'old', version: 1 }) };
  const sent: string[] = [];
  const api = anApi({
    'GET /runs/{run_id}': () => server.run,
    'PATCH /runs/{run_id}': ({ headers, body }) => {
      if (headers?.['If-Match'] !== String(server.run.version)) {
        throw new ApiError(409, 'stale_version', 'Changed meanwhile.');
      }
      const { note } = body as { note: string };
      sent.push(note);
      server.run = { ...server.run, note, version: server.run.version + 1 };
      return server.run;
    }
  });
  function Page(): JSX.Element | null {
    const { data } = useRun('r');
    return data ? <NoteCard run={data} /> : null;
  }
  const page = renderWithServer(
    <RunHostProvider value={host}>
      <Page />
    </RunHostProvider>,
    api
  );
  const change = (note: string): Promise<void> => {
    server.run = { ...server.run, note, version: server.run.version + 1 };
    return act(() => page.client.invalidateQueries());
  };
  return { server, sent, change };
}

async function edit(text: string): Promise<ReturnType<typeof userEvent.setup>> {
  const user = userEvent.setup();
  await user.click(
    await screen.findByRole('button', { name: 'Edit the note' })
  );
  await user.clear(screen.getByLabelText('Note in Markdown'));
  await user.type(screen.getByLabelText('Note in Markdown'), text);
  return user;
}

describe('a note', () => {
  it('is saved, and the pencil has the focus again', async () => {
    const { sent } = openNote();
    const user = await edit('mine');
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(await screen.findByText('mine')).toBeInTheDocument();
    expect(sent).toEqual(['mine']);
    expect(screen.getByRole('button', { name: 'Edit the note' })).toHaveFocus();
  });

  it('that others changed meanwhile is shown, and never overwritten unasked', async () => {
    const { sent, change } = openNote();
    const user = await edit('mine');
    await change('theirs');
    expect(await screen.findByText('theirs')).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled();
    await user.click(screen.getByRole('button', { name: 'Go on with mine' }));
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(sent).toEqual(['mine']));
  });

  it('is not overwritten when the change was not heard of either', async () => {
    const { server, sent } = openNote();
    const user = await edit('mine');
    server.run = { ...server.run, note: 'theirs', version: 7 };
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('theirs')).toBeInTheDocument();
    expect(sent).toEqual([]);
    await user.click(screen.getByRole('button', { name: 'Take that one' }));
    expect(screen.getByLabelText('Note in Markdown')).toHaveValue('theirs');
  });

  it('is saved where others changed only something else', async () => {
    const { server, sent } = openNote();
    const user = await edit('mine');
    server.run = { ...server.run, tags: { a: '1' }, version: 7 };
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(sent).toEqual(['mine']));
  });
});

describe('withoutUpdate', () => {
  it('takes back only the edit, not what came since', () => {
    const before = aRun({ name: 'one', tags: { a: '1', b: '2' } });
    const update = { name: 'two', tags: { a: '9', b: null, c: '3' } };
    const since = {
      ...withUpdate(before, update),
      status: 'Completed' as const,
      tags: { ...withUpdate(before, update).tags, d: '4' }
    };
    expect(withoutUpdate(since, update, before)).toEqual({
      ...since,
      name: 'one',
      tags: { a: '1', b: '2', d: '4' }
    });
    const renamed = { ...since, name: 'three' };
    expect(withoutUpdate(renamed, update, before).name).toBe('three');
  });
});
