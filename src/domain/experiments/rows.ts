import type { Run } from '../runs';
import { rowKey } from './SidebarModel';
import type { Experiment } from './types';

/** What is known of an unfolded experiment's runs. */
export interface ILatestRuns {
  runs: readonly Run[] | undefined;
  /** How many there are; null where the server did not count. */
  total: number | null;
  /** When the answer came, in ms. */
  answeredAt: number;
  failed: boolean;
  error: unknown;
}

/** A row of the tree. `level` is 1 for what stands at its left edge. */
export type TreeRow =
  | {
      kind: 'experiment';
      key: string;
      level: 1;
      experiment: Experiment;
      expanded: boolean;
    }
  | {
      kind: 'run';
      key: string;
      level: 1 | 2;
      run: Run;
      experiment: Experiment | null;
      answeredAt: number;
    }
  | {
      kind: 'more';
      key: string;
      level: 1 | 2;
      /** null below runs without their experiments. */
      experimentId: string | null;
      /** How many are not shown; null when that is not known. */
      hidden: number | null;
      shown: number;
    }
  | {
      kind: 'note';
      key: string;
      level: 1 | 2;
      note: 'loading' | 'failed' | 'no-runs' | 'found-runs';
      experimentId: string | null;
    };

/** The tree as rows, in the order on screen. */
export function treeRows(
  experiments: readonly Experiment[],
  expanded: ReadonlySet<string>,
  latest: ReadonlyMap<string, ILatestRuns>
): TreeRow[] {
  return experiments.flatMap((experiment): TreeRow[] => {
    const isOpen = expanded.has(experiment.id);
    const head: TreeRow = {
      kind: 'experiment',
      key: rowKey.experiment(experiment.id),
      level: 1,
      experiment,
      expanded: isOpen
    };
    return isOpen
      ? [head, ...runRows(experiment, latest.get(experiment.id))]
      : [head];
  });
}

function runRows(
  experiment: Experiment,
  latest: ILatestRuns | undefined
): TreeRow[] {
  const { id } = experiment;
  const note = (what: 'loading' | 'failed' | 'no-runs'): TreeRow[] => [
    {
      kind: 'note',
      key: `${what}:${id}`,
      level: 2,
      note: what,
      experimentId: id
    }
  ];
  if (!latest?.runs) {
    return note(latest?.failed ? 'failed' : 'loading');
  }
  if (latest.runs.length === 0) {
    return note('no-runs');
  }
  const rows = latest.runs.map((run): TreeRow => ({
    kind: 'run',
    key: rowKey.run(run.id),
    level: 2,
    run,
    experiment,
    answeredAt: latest.answeredAt
  }));
  const shown = latest.runs.length;
  const hidden = latest.total === null ? null : latest.total - shown;
  return hidden === 0
    ? rows
    : [
        ...rows,
        {
          kind: 'more',
          key: `more:${id}`,
          level: 2,
          experimentId: id,
          hidden,
          shown
        }
      ];
}

/**
 * Runs without their experiments above them: found ones, and those in the bin.
 *
 * @param hidden - How many more there are; 0 for none, null where the server did not count them.
 */
export function flatRuns(
  runs: readonly Run[],
  answeredAt: number,
  hidden: number | null = 0
): TreeRow[] {
  const rows = runs.map((run): TreeRow => ({
    kind: 'run',
    key: rowKey.run(run.id),
    level: 1,
    run,
    experiment: null,
    answeredAt
  }));
  return hidden === 0
    ? rows
    : [
        ...rows,
        {
          kind: 'more',
          key: 'more-runs',
          level: 1,
          experimentId: null,
          hidden,
          shown: runs.length
        }
      ];
}

/** Whether the keys stop at it. */
export function isReachable(row: TreeRow): boolean {
  return row.kind !== 'note' || row.note === 'failed';
}

/** What a key does in the tree. */
export type TreeMove =
  { to: number } | { toggle: string; open: boolean } | null;

/** The tree's keys after the WAI-ARIA pattern. `null`: the key means nothing here. */
export function moveByKey(
  rows: readonly TreeRow[],
  index: number,
  key: string
): TreeMove {
  const row = rows[index];
  switch (key) {
    case 'ArrowDown':
      return step(rows, index, 1);
    case 'ArrowUp':
      return step(rows, index, -1);
    case 'Home':
      return step(rows, -1, 1);
    case 'End':
      return step(rows, rows.length, -1);
    case 'ArrowRight':
      if (row?.kind !== 'experiment') {
        return null;
      }
      return row.expanded
        ? step(rows, index, 1)
        : { toggle: row.experiment.id, open: true };
    case 'ArrowLeft':
      if (row?.kind === 'experiment') {
        return row.expanded ? { toggle: row.experiment.id, open: false } : null;
      }
      return toParent(rows, index);
    default:
      return null;
  }
}

function step(
  rows: readonly TreeRow[],
  index: number,
  direction: 1 | -1
): TreeMove {
  for (let i = index + direction; i >= 0 && i < rows.length; i += direction) {
    const row = rows[i];
    if (row && isReachable(row)) {
      return { to: i };
    }
  }
  return null;
}

function toParent(rows: readonly TreeRow[], index: number): TreeMove {
  for (let i = index - 1; i >= 0 && rows[index]?.level === 2; i -= 1) {
    if (rows[i]?.level === 1) {
      return { to: i };
    }
  }
  return null;
}
