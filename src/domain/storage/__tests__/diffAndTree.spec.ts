import { diffCounts, parseUnified } from '../diff';
import { firstToShow, treeAction, treeRows } from '../tree';
import type { FileEntry } from '../types';

describe('parseUnified', () => {
  const text = [
    '--- a/x.py',
    '+++ b/x.py',
    '@@ -1,3 +1,3 @@',
    ' same',
    '--- looks like a head',
    '+new',
    ' end',
    '\\ No newline at end of file',
    ''
  ].join('\n');

  it('numbers both sides, and takes no content for a head', () => {
    const lines = parseUnified(text);
    expect(lines.map(l => [l.kind, l.before, l.after])).toEqual([
      ['file', null, null],
      ['file', null, null],
      ['hunk', null, null],
      ['same', 1, 1],
      ['delete', 2, null],
      ['add', null, 2],
      ['same', 3, 3],
      ['note', null, null]
    ]);
    expect(lines[4]?.text).toBe('-- looks like a head');
    expect(diffCounts(lines)).toEqual({ added: 1, deleted: 1 });
  });
});

describe('tree', () => {
  const entry = (path: string, type: FileEntry['type']): FileEntry => ({
    path,
    type,
    size: 1,
    sha256: null,
    modified_at: null,
    target: null
  });
  const children = new Map([
    ['', [entry('a', 'folder'), entry('b.txt', 'file')]],
    ['a', [entry('a/c.txt', 'file')]]
  ]);

  it('lists open folders with what is in them', () => {
    expect(treeRows(children, new Set()).map(r => r.name)).toEqual([
      'a',
      'b.txt'
    ]);
    expect(
      treeRows(children, new Set(['a'])).map(r => [r.name, r.level])
    ).toEqual([
      ['a', 1],
      ['c.txt', 2],
      ['b.txt', 1]
    ]);
  });

  it('has the keys of a tree', () => {
    const rows = treeRows(children, new Set(['a']));
    expect(treeAction('ArrowRight', rows, 0)).toEqual({ kind: 'move', to: 1 });
    expect(treeAction('ArrowLeft', rows, 0)).toEqual({ kind: 'close' });
    expect(treeAction('ArrowLeft', rows, 1)).toEqual({ kind: 'move', to: 0 });
    expect(treeAction('ArrowRight', treeRows(children, new Set()), 0)).toEqual({
      kind: 'open'
    });
    expect(treeAction('ArrowDown', rows, 2)).toEqual({ kind: 'move', to: 2 });
    expect(treeAction('x', rows, 0)).toBeNull();
  });
});

describe('firstToShow', () => {
  const entries = [
    { path: 'outputs', type: 'folder' as const },
    { path: 'outputs/model.bin', type: 'file' as const },
    { path: 'outputs/PLOT.PNG', type: 'file' as const },
    { path: 'outputs/notes.txt', type: 'file' as const }
  ].map((entry): FileEntry => ({
    size: 1,
    sha256: null,
    modified_at: null,
    target: null,
    ...entry
  }));

  it('passes over what has no viewer, unless it is asked for', () => {
    expect(firstToShow(entries)?.path).toBe('outputs/PLOT.PNG');
    expect(firstToShow(entries, 'outputs/notes.txt')?.path).toBe(
      'outputs/notes.txt'
    );
    expect(firstToShow(entries, 'gone')?.path).toBe('outputs/PLOT.PNG');
    expect(firstToShow(entries.slice(0, 2))?.path).toBe('outputs/model.bin');
    expect(firstToShow(entries.slice(0, 1))).toBeNull();
  });
});
