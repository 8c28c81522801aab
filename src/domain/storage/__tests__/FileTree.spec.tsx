import { act, fireEvent, screen } from '@testing-library/react';

import { anApi, renderWithServer } from '../../../testing/server';
import { FileTree } from '../FileTree';
import { fileKeys } from '../queries';
import type { FileEntry } from '../types';

const entry = (path: string, type: FileEntry['type'] = 'file'): FileEntry => ({
  path,
  type,
  size: 1,
  sha256: null,
  modified_at: null,
  target: null
});

/** A tree in a window of ten rows. */
function openTree(top: FileEntry[]) {
  const files = { top };
  const api = anApi({
    'GET /runs/{run_id}/artifacts': ({ params }) => ({
      entries: params?.query?.['path'] ? [] : files.top,
      truncated: false
    })
  });
  const rendered = renderWithServer(
    <FileTree
      label="Files"
      runId="r"
      area="artifacts"
      selected={null}
      onSelect={() => undefined}
    />,
    api
  );
  return { ...rendered, files };
}

const activeName = (): string | undefined => {
  const id = screen.getByRole('tree').getAttribute('aria-activedescendant');
  return document.getElementById(id ?? '')?.title;
};

describe('FileTree', () => {
  // jsdom lays nothing out: a window of ten rows.
  beforeAll(() => {
    for (const [side, value] of [
      ['clientHeight', 240],
      ['clientWidth', 200]
    ] as const) {
      Object.defineProperty(HTMLElement.prototype, side, {
        configurable: true,
        value
      });
    }
    HTMLElement.prototype.scrollTo = jest.fn() as () => void;
  });

  it('draws only the rows in sight, and says where they stand', async () => {
    openTree(
      Array.from({ length: 10_000 }, (_, i) =>
        entry(`${String(i).padStart(5, '0')}.txt`)
      )
    );
    const first = await screen.findByRole('treeitem', { name: /00000/ });
    expect(first).toHaveAttribute('aria-posinset', '1');
    expect(first).toHaveAttribute('aria-setsize', '10000');
    expect(screen.getAllByRole('treeitem').length).toBeLessThan(60);
  });

  it('keeps the file that the keys are at while others arrive above it', async () => {
    const { files, client } = openTree([entry('m.txt'), entry('n.txt')]);
    await screen.findByRole('treeitem', { name: /m\.txt/ });
    const tree = screen.getByRole('tree');
    fireEvent.keyDown(tree, { key: 'ArrowDown' });
    expect(activeName()).toBe('n.txt');
    files.top = [entry('a.txt'), ...files.top];
    await act(() =>
      client.invalidateQueries({ queryKey: fileKeys.detail('r') })
    );
    await screen.findByRole('treeitem', { name: /a\.txt/ });
    expect(activeName()).toBe('n.txt');
    fireEvent.keyDown(tree, { key: 'ArrowUp' });
    expect(activeName()).toBe('m.txt');
  });
});
