/** Reads unified diffs. Pure. */

/** One line of a diff as it is shown. */
export interface IDiffLine {
  kind: 'add' | 'delete' | 'same' | 'hunk' | 'file' | 'note';
  /** Number in the old file, null where the line is not in it. */
  before: number | null;
  /** Number in the new file. */
  after: number | null;
  /** Without the sign. */
  text: string;
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** The lines of a unified diff (of one file or of many), with their numbers. */
export function parseUnified(unified: string): IDiffLine[] {
  const lines: IDiffLine[] = [];
  let before = 0;
  let after = 0;
  let beforeLeft = 0;
  let afterLeft = 0;
  const add = (
    kind: IDiffLine['kind'],
    text: string,
    inBefore = false,
    inAfter = false
  ): void => {
    lines.push({
      kind,
      text,
      before: inBefore ? before : null,
      after: inAfter ? after : null
    });
    before += Number(inBefore);
    after += Number(inAfter);
    beforeLeft -= Number(inBefore);
    afterLeft -= Number(inAfter);
  };
  for (const line of unified.replace(/\n$/, '').split('\n')) {
    const hunk = HUNK.exec(line);
    // Inside of a hunk a line "--- x" is a deleted "-- x".
    const inside = beforeLeft > 0 || afterLeft > 0;
    if (hunk && !inside) {
      before = Number(hunk[1]);
      beforeLeft = Number(hunk[2] ?? 1);
      after = Number(hunk[3]);
      afterLeft = Number(hunk[4] ?? 1);
      add('hunk', line);
    } else if (inside && line.startsWith('+')) {
      add('add', line.slice(1), false, true);
    } else if (inside && line.startsWith('-')) {
      add('delete', line.slice(1), true, false);
    } else if (line.startsWith('\\')) {
      add('note', line.slice(2));
    } else if (inside) {
      add('same', line.slice(1), true, true);
    } else if (line) {
      add('file', line);
    }
  }
  return lines;
}

/** How many lines came and went. */
export function diffCounts(lines: readonly IDiffLine[]): {
  added: number;
  deleted: number;
} {
  const count = (kind: IDiffLine['kind']): number =>
    lines.filter(line => line.kind === kind).length;
  return { added: count('add'), deleted: count('delete') };
}
