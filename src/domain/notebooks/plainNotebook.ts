import type * as nbformat from '@jupyterlab/nbformat';

import {
  compact,
  outputOf,
  streamOf,
  textOf,
  type Delta,
  type IDelta
} from './deltas';
import { StreamParts } from './streamText';

/** The notebook that deltas lead to, as a file has it. Pure. */
export function plainNotebook(
  deltas: readonly Delta[]
): nbformat.INotebookContent {
  let notebook: nbformat.INotebookContent = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: []
  };
  const displays = new Map<string, nbformat.IOutput[]>();
  const outputs = new Map<nbformat.ICell, nbformat.IOutput[]>();
  const streams = new Map<nbformat.IOutput, StreamParts>();
  const outputsOf = (delta: IDelta): nbformat.IOutput[] | null => {
    const cell = notebook.cells[delta.cell ?? -1];
    if (cell?.cell_type !== 'code') {
      return null;
    }
    const own = outputs.get(cell) ?? [];
    outputs.set(cell, own);
    cell['outputs'] = own;
    return own;
  };
  for (const delta of compact(deltas)) {
    const output = outputOf(delta);
    switch (delta.op) {
      case 'base':
        notebook = delta.notebook as unknown as nbformat.INotebookContent;
        notebook = {
          ...notebook,
          // What comes is written into these, not into the delta.
          cells: notebook.cells.map(cell => ({ ...cell }))
        };
        break;
      case 'start':
      case 'clear':
        outputsOf(delta)?.splice(0);
        break;
      case 'output':
        append(outputsOf(delta), delta, displays, streams);
        break;
      case 'update':
        for (const shown of displays.get(delta.display_id ?? '') ?? []) {
          shown['data'] = output?.['data'];
          shown.metadata = output?.metadata;
        }
        break;
      case 'end': {
        const cell = notebook.cells[delta.cell ?? -1];
        if (cell) {
          cell['execution_count'] = delta.execution_count ?? null;
        }
        break;
      }
      case 'done':
    }
  }
  streams.forEach((parts, output) => {
    output['text'] = parts.toString();
  });
  return notebook;
}

function append(
  outputs: nbformat.IOutput[] | null,
  delta: IDelta,
  displays: Map<string, nbformat.IOutput[]>,
  streams: Map<nbformat.IOutput, StreamParts>
): void {
  const given = outputOf(delta);
  if (!outputs || !given) {
    return;
  }
  const output = { ...given };
  const name = streamOf(delta);
  if (name !== null) {
    const last = outputs[outputs.length - 1];
    const goesOn = last?.output_type === 'stream' && last['name'] === name;
    const stream = goesOn ? last : output;
    const parts = streams.get(stream) ?? new StreamParts();
    streams.set(stream, parts);
    parts.add(textOf(output['text']), delta.back ?? 0);
    if (goesOn) {
      return;
    }
  }
  outputs.push(output);
  if (delta.display_id) {
    const shown = displays.get(delta.display_id) ?? [];
    displays.set(delta.display_id, [...shown, output]);
  }
}
