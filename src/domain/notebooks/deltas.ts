import type * as nbformat from '@jupyterlab/nbformat';

import type { components } from '../../api/schema';
import { joinChanges } from './streamText';

/** One change of a notebook with outputs, as the wire has it. */
export type Delta = components['schemas']['CellDelta'];

/** A delta that may stand for several. */
export interface IDelta extends Delta {
  /** The place of the last of them; its own when left out. */
  last?: number;
}

/** Text of several deltas becomes one up to this length. */
const JOINED_CHARS = 16_000;

/** A cell of a file is not to be believed: it may say of itself that it is trusted. */
function distrust(cell: nbformat.ICell): nbformat.ICell {
  const metadata: Record<string, unknown> = { ...cell.metadata };
  delete metadata['trusted'];
  return {
    ...cell,
    metadata: { ...metadata, editable: false, deletable: false }
  };
}

/** A notebook to look at: untrusted, not editable, each cell with an id. */
export function readOnlyNotebook(
  notebook: nbformat.INotebookContent
): nbformat.INotebookContent {
  const cells = Array.isArray(notebook.cells) ? notebook.cells : [];
  return {
    ...notebook,
    metadata: { ...notebook.metadata },
    cells: cells.map((cell, i) => ({
      ...distrust(cell),
      id: typeof cell.id === 'string' ? cell.id : `mlws-cell-${i}`
    }))
  };
}

/** Text that notebooks keep as it is, or as a list of its lines. */
export function textOf(value: unknown): string {
  return Array.isArray(value)
    ? value.filter(part => typeof part === 'string').join('')
    : typeof value === 'string'
      ? value
      : '';
}

/** About how many characters an output has. */
export function outputSize(output: nbformat.IOutput): number {
  const data = output['data'] as Record<string, unknown> | undefined;
  return Object.values(data ?? {}).reduce<number>(
    (sum, value) =>
      sum +
      (typeof value === 'string'
        ? value.length
        : JSON.stringify(value ?? null).length),
    textOf(output.text).length + textOf(output['traceback']).length
  );
}

/** The output that a delta brings. */
export function outputOf(delta: Delta): nbformat.IOutput | null {
  return (delta.output ?? null) as nbformat.IOutput | null;
}

/** The name of the stream that a delta continues; null for anything else. */
export function streamOf(delta: Delta): string | null {
  const output = outputOf(delta);
  return output?.output_type === 'stream' ? textOf(output['name']) : null;
}

/**
 * Fewer deltas that lead to the same: what is cleared again is left out, of several updates of one
 * display the last is kept, and text of one stream is joined. A run of hours is replayed in a moment.
 */
export function compact(deltas: readonly Delta[]): IDelta[] {
  const kept: (IDelta | null)[] = [];
  const outputs = new Map<number, number[]>();
  const updates = new Map<string, number>();
  for (const delta of deltas) {
    const cell = delta.cell ?? -1;
    if (delta.op === 'clear') {
      outputs.get(cell)?.forEach(i => {
        kept[i] = null;
      });
      outputs.set(cell, []);
    } else if (delta.op === 'update' && delta.display_id) {
      const before = updates.get(delta.display_id);
      if (before !== undefined) {
        kept[before] = null;
      }
      updates.set(delta.display_id, kept.length);
    }
    const joined = joinedStream(kept[kept.length - 1], delta);
    if (joined) {
      kept[kept.length - 1] = joined;
      continue;
    }
    if (delta.op === 'output' || delta.op === 'clear') {
      const places = outputs.get(cell) ?? [];
      places.push(kept.length);
      outputs.set(cell, places);
    }
    kept.push(delta);
  }
  return kept.filter(delta => delta !== null);
}

function joinedStream(
  last: IDelta | null | undefined,
  next: Delta
): IDelta | null {
  const name = streamOf(next);
  if (
    !last ||
    name === null ||
    streamOf(last) !== name ||
    last.cell !== next.cell ||
    last.held ||
    next.held
  ) {
    return null;
  }
  const text = textOf(outputOf(last)?.['text']);
  const more = textOf(outputOf(next)?.['text']);
  if (text.length + more.length > JOINED_CHARS) {
    return null;
  }
  const joined = joinChanges(
    { back: last.back ?? 0, text },
    { back: next.back ?? 0, text: more }
  );
  return {
    ...last,
    last: next.place ?? last.last,
    back: joined.back,
    output: { ...last.output, text: joined.text } as unknown as Delta['output']
  };
}

/** Deltas of each cell, and those that name none. */
export function byCell(deltas: readonly IDelta[]): {
  ofCell: ReadonlyMap<number, readonly IDelta[]>;
  others: IDelta[];
} {
  const ofCell = new Map<number, IDelta[]>();
  const others: IDelta[] = [];
  for (const delta of deltas) {
    if (typeof delta.cell === 'number') {
      const list = ofCell.get(delta.cell) ?? [];
      list.push(delta);
      ofCell.set(delta.cell, list);
    } else {
      others.push(delta);
    }
  }
  return { ofCell, others };
}

/** What the deltas tell besides the outputs: which cell runs, and how each ended. */
export interface IRunState {
  /** Index of the cell that runs, null between cells and at the end. */
  running: number | null;
  /** Index of the first cell that failed. */
  failed: number | null;
  done: boolean;
}

/** The state after a delta. */
export function nextState(state: IRunState, delta: Delta): IRunState {
  switch (delta.op) {
    case 'base':
      return { running: null, failed: null, done: false };
    case 'start':
      return { ...state, running: delta.cell ?? null };
    case 'end':
      return {
        ...state,
        running: null,
        failed:
          delta.ok === false
            ? (state.failed ?? delta.cell ?? null)
            : state.failed
      };
    case 'done':
      return { ...state, running: null, done: true };
    case 'clear':
    case 'output':
    case 'update':
      return state;
  }
}
