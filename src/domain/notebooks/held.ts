import type * as nbformat from '@jupyterlab/nbformat';

import {
  outputOf,
  outputSize,
  streamOf,
  textOf,
  type Delta,
  type IDelta
} from './deltas';
import { lineCount, StreamParts, takeBack } from './streamText';

/** The MIME type of what stands in the place of an output that is not shown. */
export const HELD_TYPE = 'application/vnd.jupyter-mlws.held+json';

/** Images that the browser itself loads, by an address. */
export const IMAGE_TYPES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp'
]);

/** Characters of text that stand after what is left out. */
const TAIL_CHARS = 1_000;

/** Output that is not on the page: one that is large, or all that a cell prints beyond its limit. */
export interface IHeldOutput {
  readonly key: string;
  readonly cell: number;
  /** Where the server has it: the places of the first and the last delta. */
  first: number;
  last: number;
  bytes: number;
  lines: number;
  /** MIME types of a single output. */
  types: readonly string[];
  /** The stream whose text it is; null if there is anything but text. */
  stream: string | null;
  /** It is all that the cell prints from here on. */
  rest: boolean;
  /** Its first lines, and its last ones. */
  head: string;
  tail: string;
  width: number | undefined;
  height: number | undefined;
}

/** What is held of an output that the server has shortened. */
export function heldOutput(
  key: string,
  cell: number,
  delta: IDelta
): IHeldOutput {
  const { held } = delta;
  const place = delta.place ?? 0;
  const output = outputOf(delta);
  const data = output?.['data'] as Record<string, unknown> | undefined;
  const isText =
    output?.output_type === 'stream' || output?.output_type === 'error';
  return {
    key,
    cell,
    first: place,
    last: delta.last ?? place,
    bytes: held?.bytes ?? 0,
    lines: held?.lines ?? 0,
    types: held?.types ?? [],
    stream: isText ? (streamOf(delta) ?? 'error') : null,
    rest: false,
    head: isText
      ? textOf(output?.['text'] ?? output?.['traceback'])
      : textOf(data?.['text/plain']),
    tail: held?.tail ?? '',
    ...measuresOf(delta)
  };
}

/** The size at which an image is to be shown: the kernel's word, else its own. */
function measuresOf(delta: IDelta): {
  width: number | undefined;
  height: number | undefined;
} {
  const metadata = (outputOf(delta)?.['metadata'] ?? {}) as Record<
    string,
    { width?: unknown; height?: unknown } | undefined
  >;
  for (const type of IMAGE_TYPES) {
    const { width, height } = metadata[type] ?? {};
    if (typeof width === 'number' && typeof height === 'number') {
      return { width, height };
    }
  }
  return {
    width: delta.held?.width ?? undefined,
    height: delta.held?.height ?? undefined
  };
}

/** The text of a held stream or error. */
export function textOfStream(
  deltas: readonly Delta[],
  held: IHeldOutput
): string {
  const parts = new StreamParts();
  for (const delta of deltas) {
    const output = outputOf(delta);
    if (delta.op === 'output' && delta.cell === held.cell && output) {
      const trace = output['traceback'];
      parts.add(
        Array.isArray(trace)
          ? (trace as string[]).join('\n')
          : textOf(output['text']),
        delta.back ?? 0
      );
    }
  }
  return parts.toString();
}

/** What is held from here on of a cell that prints too much. */
export function heldRest(
  key: string,
  cell: number,
  delta: IDelta
): IHeldOutput {
  const place = delta.place ?? 0;
  const empty: IHeldOutput = {
    key,
    cell,
    first: place,
    last: place,
    bytes: 0,
    lines: 0,
    types: [],
    stream: streamOf(delta),
    rest: true,
    head: '',
    tail: '',
    width: undefined,
    height: undefined
  };
  return withMore(empty, delta);
}

/** Whether more output is held with what is held already. */
export function takesMore(held: IHeldOutput, delta: IDelta): boolean {
  return held.rest || (held.stream !== null && held.stream === streamOf(delta));
}

/** With one more output. */
export function withMore(held: IHeldOutput, delta: IDelta): IHeldOutput {
  const stream = streamOf(delta);
  const more: IHeldOutput = {
    ...held,
    last: delta.last ?? delta.place ?? held.last,
    bytes: held.bytes + (delta.held?.bytes ?? sizeOf(delta)),
    stream: held.stream !== null && held.stream === stream ? stream : null
  };
  if (stream !== null) {
    const text = textOf(outputOf(delta)?.['text']);
    const tail =
      takeBack(held.tail, delta.back ?? 0) + (delta.held?.tail ?? text);
    const lines = delta.held?.lines ?? lineCount(text) - 1;
    more.lines = Math.max(0, held.lines - (delta.back ?? 0)) + lines;
    more.tail = lastLines(tail);
  }
  return more;
}

function sizeOf(delta: IDelta): number {
  const output = outputOf(delta);
  return output ? outputSize(output) : 0;
}

function lastLines(text: string): string {
  if (text.length <= TAIL_CHARS) {
    return text;
  }
  const cut = text.slice(-TAIL_CHARS);
  return cut.slice(cut.indexOf('\n') + 1);
}

/** What stands in its place: the Lab's cells take it as any other output. */
export function standIn(held: IHeldOutput): nbformat.IOutput {
  return {
    output_type: 'display_data',
    data: { [HELD_TYPE]: { key: held.key }, 'text/plain': held.head },
    metadata: {}
  };
}

/** The key in a stand-in; null for anything else. */
export function heldKey(
  data: Readonly<Record<string, unknown>>
): string | null {
  const value = data[HELD_TYPE] as { key?: unknown } | undefined;
  return typeof value?.key === 'string' ? value.key : null;
}

/** An output without a stand-in of its own making: only ours may say so. */
export function honest(output: nbformat.IOutput): nbformat.IOutput {
  const data = output['data'] as Record<string, unknown> | undefined;
  if (!data || !(HELD_TYPE in data)) {
    return output;
  }
  const rest = { ...data };
  delete rest[HELD_TYPE];
  return { ...output, data: rest as nbformat.IMimeBundle };
}
