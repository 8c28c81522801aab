import type { FileEntry } from './types';

/** A row of a file tree as it is shown. */
export interface ITreeRow {
  entry: FileEntry;
  name: string;
  /** 1 at the top. */
  level: number;
  open: boolean;
}

/** The rows of a tree: each open folder's children below it, where they are known. */
export function treeRows(
  children: ReadonlyMap<string, readonly FileEntry[]>,
  open: ReadonlySet<string>,
  root = '',
  level = 1
): ITreeRow[] {
  return (children.get(root) ?? []).flatMap(entry => {
    const isOpen = entry.type === 'folder' && open.has(entry.path);
    const row = {
      entry,
      name: entry.path.slice(entry.path.lastIndexOf('/') + 1),
      level,
      open: isOpen
    };
    return isOpen
      ? [row, ...treeRows(children, open, entry.path, level + 1)]
      : [row];
  });
}

/** Where a path stands; if it does not, where the nearest folder above it does; else the first row. */
export function indexOfPath(
  rows: readonly ITreeRow[],
  path: string | null
): number {
  for (let at = path; at; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const index = rows.findIndex(row => row.entry.path === at);
    if (index >= 0) {
      return index;
    }
  }
  return 0;
}

/** What a key does in a tree. */
export type TreeAction =
  { kind: 'move'; to: number } | { kind: 'open' | 'close' } | { kind: 'show' };

/** The WAI-ARIA keys of a tree; null where a key means nothing. */
export function treeAction(
  key: string,
  rows: readonly ITreeRow[],
  active: number
): TreeAction | null {
  const row = rows[active];
  const last = rows.length - 1;
  switch (key) {
    case 'ArrowDown':
      return { kind: 'move', to: Math.min(last, active + 1) };
    case 'ArrowUp':
      return { kind: 'move', to: Math.max(0, active - 1) };
    case 'Home':
      return { kind: 'move', to: 0 };
    case 'End':
      return { kind: 'move', to: last };
    case 'ArrowRight':
      if (row?.entry.type !== 'folder') {
        return null;
      }
      return row.open
        ? { kind: 'move', to: Math.min(last, active + 1) }
        : { kind: 'open' };
    case 'ArrowLeft':
      return row?.open
        ? { kind: 'close' }
        : { kind: 'move', to: parentIndex(rows, active) };
    case 'Enter':
    case ' ':
      return { kind: 'show' };
    default:
      return null;
  }
}

function parentIndex(rows: readonly ITreeRow[], index: number): number {
  const level = rows[index]?.level ?? 1;
  for (let i = index - 1; i >= 0; i -= 1) {
    if ((rows[i]?.level ?? 1) < level) {
      return i;
    }
  }
  return index;
}

/** Endings of files that the page shows: pictures, tables, notebooks, text. */
const SHOWN = new Set(
  (
    'avif bmp gif jpeg jpg png svg webp csv tsv json jsonl ipynb txt md rst log out err ' +
    'py r jl sh sql js ts html htm css xml yaml yml toml ini cfg conf diff patch tex'
  ).split(' ')
);

/**
 * The file to look at first: the one that is asked for, else the first one that can be shown, else the first.
 *
 * @param entries - In the order of the tree.
 */
export function firstToShow(
  entries: readonly FileEntry[],
  wanted?: string
): FileEntry | null {
  const files = entries.filter(({ type }) => type === 'file');
  return (
    files.find(({ path }) => path === wanted) ??
    files.find(({ path }) => SHOWN.has(ending(path))) ??
    files[0] ??
    null
  );
}

function ending(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}
