import type { ICodeCellModel } from '@jupyterlab/cells';
import type * as nbformat from '@jupyterlab/nbformat';

import { outputOf, outputSize, streamOf, textOf, type IDelta } from './deltas';
import {
  heldKey,
  heldOutput,
  heldRest,
  honest,
  standIn,
  takesMore,
  withMore,
  type IHeldOutput
} from './held';
import { settled, takeBack } from './streamText';

/** A cell shows this many characters of output, and this many outputs; what comes then is held. */
export const CELL_CHARS = 200_000;
export const CELL_OUTPUTS = 500;

/** What a cell's outputs need of the document that they are in. */
export interface IHeldOutputs {
  newKey: () => string;
  set: (held: IHeldOutput) => void;
  delete: (key: string) => void;
}

/** The outputs of one cell as they grow: on the page within limits, beyond them as notes of where they are. */
export class CellOutputs {
  constructor(
    private readonly cell: number,
    private readonly code: ICodeCellModel,
    private readonly held: IHeldOutputs
  ) {}

  /** Characters on the page. */
  get size(): number {
    return this._size;
  }

  /** Takes an output. */
  append(delta: IDelta): void {
    const output = outputOf(delta);
    if (!output) {
      return;
    }
    if (this._open && takesMore(this._open, delta)) {
      this._note(delta);
      this._hold(withMore(this._open, delta));
      return;
    }
    this._open = null;
    if (delta.held) {
      const held = heldOutput(this.held.newKey(), this.cell, delta);
      this._show(held, delta.display_id ?? null);
      // Text goes on; anything else stands for itself.
      this._open = held.stream !== null ? held : null;
    } else if (!this._fits(output)) {
      this._note(delta);
      this._show(heldRest(this.held.newKey(), this.cell, delta), null);
    } else if (streamOf(delta) !== null) {
      this._stream(textOf(output['name']), textOf(output['text']), delta.back);
    } else {
      this._add(honest(output), delta.display_id ?? null);
    }
  }

  /** Changes the outputs with a display id. */
  update(displayId: string, delta: IDelta): void {
    const { outputs } = this.code;
    if (this._late.has(displayId)) {
      this._late.set(displayId, delta);
    }
    for (const index of this._displays.get(displayId) ?? []) {
      if (index < outputs.length) {
        this._forget(index);
        outputs.set(index, this._replacement(delta));
      }
    }
  }

  /** Takes everything away. */
  clear(): void {
    for (let i = 0; i < this.code.outputs.length; i += 1) {
      this._forget(i);
    }
    this.code.outputs.clear();
    this._displays.clear();
    this._late.clear();
    this._open = null;
    this._streamName = null;
    this._size = 0;
    this._allowed = { chars: CELL_CHARS, outputs: CELL_OUTPUTS };
  }

  /** Shows a single held output itself. */
  reveal(key: string, output: nbformat.IOutput): void {
    const index = this._indexOf(key);
    if (index !== null) {
      this._forget(index);
      this.code.outputs.set(index, honest(output));
    }
  }

  /**
   * Shows more of what is held from some place on.
   *
   * @param deltas - Its next outputs, from its first place on.
   * @param next - The place after them.
   */
  showMore(key: string, deltas: readonly IDelta[], next: number): void {
    const rest = this._open;
    const index = this._indexOf(key);
    if (rest?.key !== key || index === null) {
      return;
    }
    this._forget(index);
    this.code.outputs.remove(index);
    this._open = null;
    this._streamName = null;
    this._allowed = {
      chars: this._size + CELL_CHARS,
      outputs: this.code.outputs.length + CELL_OUTPUTS
    };
    const before = this._size;
    deltas.forEach(delta => this.append(delta));
    const { last, tail } = rest;
    const bytes = Math.max(0, rest.bytes - (this._size - before));
    const open = this._open as IHeldOutput | null;
    if (open?.rest) {
      this._hold({ ...open, last, tail, bytes });
    } else if (next <= last) {
      const key = this.held.newKey();
      this._show({ ...rest, key, first: next, bytes }, null);
    }
    for (const [displayId, delta] of this._late) {
      this.update(displayId, delta);
    }
  }

  private _fits(output: nbformat.IOutput): boolean {
    return (
      this._size + outputSize(output) <= this._allowed.chars &&
      this.code.outputs.length < this._allowed.outputs
    );
  }

  private _stream(name: string, text: string, back = 0): void {
    const { outputs } = this.code;
    if (this._streamName !== name) {
      // First empty: the Lab looks at each line of a text that it is given whole.
      outputs.add({ output_type: 'stream', name, text: '' });
      this._streamName = name;
    }
    const stream = outputs.get(outputs.length - 1).streamText;
    if (stream) {
      const before = stream.text;
      // Files hold carriage returns; jobs have obeyed them.
      const returns = text.includes('\r') || before.endsWith('\r');
      const kept = takeBack(before, returns ? 1 : back);
      const more = returns ? settled(before.slice(kept.length) + text) : text;
      if (kept.length < before.length) {
        stream.remove(kept.length, before.length);
      }
      stream.insert(kept.length, more);
      this._size += kept.length + more.length - before.length;
    }
  }

  private _add(output: nbformat.IOutput, displayId: string | null): void {
    const { outputs } = this.code;
    this._size += outputSize(output);
    this._streamName = null;
    outputs.add(output);
    if (displayId) {
      const places = this._displays.get(displayId) ?? [];
      this._displays.set(displayId, [...places, outputs.length - 1]);
    }
  }

  /** What stands on the page after an update. */
  private _replacement(delta: IDelta): nbformat.IOutput {
    const output = outputOf(delta);
    if (output && !delta.held) {
      return honest(output);
    }
    const held = heldOutput(this.held.newKey(), this.cell, delta);
    this.held.set(held);
    return standIn(held);
  }

  /** A display that is held may be changed before it is shown. */
  private _note(delta: IDelta): void {
    if (delta.display_id) {
      this._late.set(delta.display_id, delta);
    }
  }

  /** Puts a stand-in behind the outputs. */
  private _show(held: IHeldOutput, displayId: string | null): void {
    this._hold(held);
    this._add(standIn(held), displayId);
    this._open = held.rest ? held : null;
  }

  private _hold(held: IHeldOutput): void {
    this.held.set(held);
    this._open = held;
  }

  private _forget(index: number): void {
    const key = heldKey(this.code.outputs.get(index).data);
    if (key) {
      this.held.delete(key);
      this._open = this._open?.key === key ? null : this._open;
    }
  }

  private _indexOf(key: string): number | null {
    const { outputs } = this.code;
    for (let i = 0; i < outputs.length; i += 1) {
      if (heldKey(outputs.get(i).data) === key) {
        return i;
      }
    }
    return null;
  }

  private _allowed = { chars: CELL_CHARS, outputs: CELL_OUTPUTS };
  /** Where outputs with a display id stand. */
  private readonly _displays = new Map<string, number[]>();
  /** The last state of each display that is held. */
  private readonly _late = new Map<string, IDelta>();
  /** What is held at the end, and takes what comes. */
  private _open: IHeldOutput | null = null;
  private _size = 0;
  /** The stream that the last output is. */
  private _streamName: string | null = null;
}
