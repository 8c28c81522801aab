import type { ICodeCellModel } from '@jupyterlab/cells';
import type * as nbformat from '@jupyterlab/nbformat';
import { NotebookModel } from '@jupyterlab/notebook';

import { breathe } from '../../lib/breathe';
import { CellOutputs } from './CellOutputs';
import {
  byCell,
  compact,
  nextState,
  readOnlyNotebook,
  type Delta,
  type IDelta,
  type IRunState
} from './deltas';
import type { IHeldOutput } from './held';

/** How long the page may be busy with deltas before it breathes, in ms. */
const SLICE_MS = 12;
/** So many cells are there when the notebook is first seen; the others follow, some at a time. */
const FIRST_CELLS = 6;
const MOST_AT_ONCE = 64;

/**
 * A notebook that grows by deltas while it is looked at: each delta touches only its cell, so nothing
 * is drawn anew and the scroll position stays.
 */
export class NotebookDocument {
  /** What the Lab draws. */
  readonly model = new NotebookModel();

  /** Which cell runs, which failed. Replaced, never changed. */
  get state(): IRunState {
    return this._state;
  }

  /** Whether a notebook is there. */
  get loaded(): boolean {
    return this._loaded;
  }

  /** Whether all its cells are there: only then one of them can be gone to. */
  get complete(): boolean {
    return this._complete;
  }

  /** Characters of output on the page. */
  get size(): number {
    let size = 0;
    this._outputs.forEach(outputs => {
      size += outputs.size;
    });
    return size;
  }

  /** Output that is not on the page, by the key in its stand-in. Replaced, never changed. */
  held(key: string): IHeldOutput | null {
    return this._held.get(key) ?? null;
  }

  /** Calls back after changes. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  /** Applies deltas in order, in slices, so that the page stays alive. */
  async apply(deltas: readonly Delta[]): Promise<void> {
    let rest = compact(deltas);
    const base = rest.findIndex(({ op }) => op === 'base');
    if (base >= 0) {
      rest = await this._load(rest[base] as IDelta, rest.slice(base + 1));
    }
    let start = performance.now();
    for (const delta of rest) {
      if (this._disposed) {
        return;
      }
      this._apply(delta);
      if (performance.now() - start > SLICE_MS) {
        this._emit();
        await breathe();
        start = performance.now();
      }
    }
    this._emit();
  }

  /** Shows a held output itself. */
  reveal(key: string, output: nbformat.IOutput): void {
    const held = this._held.get(key);
    if (held) {
      this._of(held.cell)?.reveal(key, output);
      this._emit();
    }
  }

  /** Shows the next outputs of those that a cell holds back. */
  showMore(key: string, deltas: readonly Delta[], next: number): void {
    const held = this._held.get(key);
    if (held) {
      const own = deltas.filter(
        ({ op, cell }) => op === 'output' && cell === held.cell
      );
      this._of(held.cell)?.showMore(key, compact(own), next);
      this._emit();
    }
  }

  dispose(): void {
    this._disposed = true;
    this._listeners.clear();
    this.model.dispose();
  }

  /**
   * Begins with a notebook. Its cells come with what they have put out already: to make an output is cheap
   * while its cell is not drawn, and a cell that is made with it is made but once.
   *
   * @returns The deltas that concern no cell by its number.
   */
  private async _load(
    base: IDelta,
    deltas: readonly IDelta[]
  ): Promise<IDelta[]> {
    const { cells, ...rest } = readOnlyNotebook(
      base.notebook as unknown as nbformat.INotebookContent
    );
    const { ofCell, others } = byCell(deltas);
    this._held.clear();
    this._outputs.clear();
    this._complete = false;
    this.model.fromJSON({ ...rest, cells: cells.slice(0, FIRST_CELLS) });
    this._fill(0, FIRST_CELLS, ofCell);
    this._loaded = true;
    this._emit();
    let count = 1;
    let at = FIRST_CELLS;
    while (at < cells.length) {
      await breathe();
      if (this._disposed) {
        return [];
      }
      const start = performance.now();
      const some = cells.slice(at, at + count);
      this.model.sharedModel.insertCells(at, some);
      this._fill(at, at + some.length, ofCell);
      at += some.length;
      // As many as fit into a slice.
      count =
        performance.now() - start < SLICE_MS / 2
          ? Math.min(count * 2, MOST_AT_ONCE)
          : Math.max(1, count >> 1);
    }
    this._state = [base, ...deltas].reduce(nextState, this._state);
    this._complete = true;
    return others;
  }

  private _fill(
    from: number,
    to: number,
    ofCell: ReadonlyMap<number, readonly IDelta[]>
  ): void {
    for (let cell = from; cell < to; cell += 1) {
      ofCell.get(cell)?.forEach(delta => this._change(delta));
    }
  }

  private _apply(delta: IDelta): void {
    this._state = nextState(this._state, delta);
    this._change(delta);
  }

  private _change(delta: IDelta): void {
    const cell = delta.cell ?? -1;
    switch (delta.op) {
      case 'start':
      case 'clear':
        this._of(cell)?.clear();
        break;
      case 'output':
        this._of(cell)?.append(delta);
        break;
      case 'update':
        if (delta.display_id) {
          for (const outputs of this._outputs.values()) {
            outputs.update(delta.display_id, delta);
          }
        }
        break;
      case 'end':
        this._end(cell, delta.execution_count ?? null);
        break;
      case 'base':
      case 'done':
    }
  }

  private _end(cell: number, executionCount: number | null): void {
    const code = this._code(cell);
    if (code) {
      code.executionCount = executionCount;
    }
  }

  private _of(cell: number): CellOutputs | null {
    const known = this._outputs.get(cell);
    if (known) {
      return known;
    }
    const code = this._code(cell);
    if (!code) {
      return null;
    }
    const made = new CellOutputs(cell, code, {
      newKey: () => `${cell}.${(this._keys += 1)}`,
      set: held => this._held.set(held.key, held),
      delete: key => this._held.delete(key)
    });
    this._outputs.set(cell, made);
    return made;
  }

  private _code(index: number): ICodeCellModel | null {
    if (index < 0 || index >= this.model.cells.length) {
      return null;
    }
    const cell = this.model.cells.get(index);
    return cell.type === 'code' ? (cell as ICodeCellModel) : null;
  }

  private _emit(): void {
    this._listeners.forEach(listener => listener());
  }

  private _complete = false;
  private _disposed = false;
  private readonly _held = new Map<string, IHeldOutput>();
  private _keys = 0;
  private readonly _listeners = new Set<() => void>();
  private _loaded = false;
  private readonly _outputs = new Map<number, CellOutputs>();
  private _state: IRunState = { running: null, failed: null, done: false };
}
