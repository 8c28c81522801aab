import type * as nbformat from '@jupyterlab/nbformat';

import type { components } from '../../api/schema';

/** One change of the growing output notebook, as the wire has it. */
export type Delta = components['schemas']['CellDelta'];

/** A cell shows this many characters of output until somebody asks for all. */
export const OUTPUT_LIMIT = 200_000;

const STAND_IN_LENGTH = 2_000;

/** A cell of a file is not to be believed: it may say of itself that it is trusted. */
function distrust(cell: nbformat.ICell): nbformat.ICell {
  const metadata: Record<string, unknown> = { ...cell.metadata };
  delete metadata['trusted'];
  return {
    ...cell,
    metadata: { ...metadata, editable: false, deletable: false }
  };
}

/** A notebook to look at: untrusted, not editable, each code cell with a list of outputs. */
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

function textLength(output: nbformat.IOutput): number {
  const { text } = output;
  return Array.isArray(text)
    ? text.join('').length
    : typeof text === 'string'
      ? text.length
      : 0;
}

/** The texts of one output that may be huge: a stream's own, and those of a MIME bundle. */
function bundleLength(output: nbformat.IOutput): number {
  const data = output['data'] as Record<string, unknown> | undefined;
  return Object.entries(data ?? {})
    .filter(([type]) => !type.startsWith('image/'))
    .reduce(
      (sum, [, value]) =>
        sum +
        (typeof value === 'string'
          ? value.length
          : Array.isArray(value)
            ? value.join('').length
            : 0),
      0
    );
}

/** How many characters it would put on the page. */
export function outputSize(output: nbformat.IOutput): number {
  return Math.max(textLength(output), bundleLength(output));
}

/** What stands in the place of output that is held back: the beginning of its text, and a line that says so. */
export function standIn(
  output: nbformat.IOutput,
  notice: string
): nbformat.IOutput {
  const data = output['data'] as Record<string, unknown> | undefined;
  const text = output['text'] ?? data?.['text/plain'] ?? '';
  const whole = Array.isArray(text)
    ? text.join('')
    : typeof text === 'string'
      ? text
      : '';
  // Not a stream: the next piece of a stream would be joined to it.
  return {
    output_type: 'display_data',
    data: { 'text/plain': `${whole.slice(0, STAND_IN_LENGTH)}\n${notice}` },
    metadata: {}
  };
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
