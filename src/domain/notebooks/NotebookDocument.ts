import type { ICodeCellModel } from '@jupyterlab/cells';
import type * as nbformat from '@jupyterlab/nbformat';
import { NotebookModel } from '@jupyterlab/notebook';

import { CellOutputs } from './CellOutputs';
import {
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
/** Cells that are made between two breaths. */
const FIRST_CELLS = 50;
const CELLS_AT_ONCE = 50;

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
    let start = performance.now();
    for (const delta of compact(deltas)) {
      if (this._disposed) {
        return;
      }
      if (delta.op === 'base') {
        await this._load(
          delta.notebook as unknown as nbformat.INotebookContent
        );
      } else {
        this._apply(delta);
      }
      if (performance.now() - start > SLICE_MS) {
        this._emit();
        await breathe();
        start = performance.now();
      }
    }
    // Only now: to fill cells that are drawn already costs a layout each.
    this._loaded = this._based;
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

  private async _load(notebook: nbformat.INotebookContent): Promise<void> {
    const { cells, ...rest } = readOnlyNotebook(notebook);
    this._held.clear();
    this._outputs.clear();
    this._state = { running: null, failed: null, done: false };
    this.model.fromJSON({ ...rest, cells: cells.slice(0, FIRST_CELLS) });
    this._based = true;
    for (let at = FIRST_CELLS; at < cells.length; at += CELLS_AT_ONCE) {
      await breathe();
      if (this._disposed) {
        return;
      }
      this.model.sharedModel.insertCells(
        at,
        cells.slice(at, at + CELLS_AT_ONCE)
      );
    }
  }

  private _apply(delta: IDelta): void {
    this._state = nextState(this._state, delta);
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

  private _based = false;
  private _disposed = false;
  private readonly _held = new Map<string, IHeldOutput>();
  private _keys = 0;
  private readonly _listeners = new Set<() => void>();
  private _loaded = false;
  private readonly _outputs = new Map<number, CellOutputs>();
  private _state: IRunState = { running: null, failed: null, done: false };
}

/** Lets the page do what waits. */
function breathe(): Promise<void> {
  return new Promise(resolve => {
    window.setTimeout(resolve);
  });
}
