import type { ICodeCellModel } from '@jupyterlab/cells';
import type * as nbformat from '@jupyterlab/nbformat';
import { NotebookModel } from '@jupyterlab/notebook';

import {
  nextState,
  readOnlyNotebook,
  type Delta,
  type IRunState
} from './deltas';
import { OutputLedger } from './OutputLedger';

/** How long the page may be busy with deltas before it breathes, in ms. */
const SLICE_MS = 12;

/**
 * A notebook that grows by deltas while it is looked at: each delta touches only its cell, so nothing
 * is drawn anew and the scroll position stays.
 */
export class NotebookDocument {
  /**
   * @param notice - The line that stands where output is held back.
   */
  constructor(notice: string) {
    this._ledger = new OutputLedger(notice);
  }

  /** What the Lab draws. */
  readonly model = new NotebookModel();

  /** Which cell runs, which failed. Replaced, never changed. */
  get state(): IRunState {
    return this._state;
  }

  /** Cells whose output is not shown to its end. Replaced, never changed. */
  get cut(): readonly number[] {
    return this._cut;
  }

  /** Whether a notebook is there. */
  get loaded(): boolean {
    return this._loaded;
  }

  /** Calls back after changes of state, of `cut` or of `loaded`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  /** Applies deltas in order, in slices, so that the page stays alive. */
  async apply(deltas: readonly Delta[]): Promise<void> {
    let start = performance.now();
    for (const delta of deltas) {
      if (this._disposed) {
        return;
      }
      this._applyOne(delta);
      if (performance.now() - start > SLICE_MS) {
        this._emit();
        await new Promise(resolve => window.setTimeout(resolve));
        start = performance.now();
      }
    }
    this._emit();
  }

  /** Shows a whole notebook, as it stands in a file. */
  load(notebook: nbformat.INotebookContent): void {
    this._ledger.reset();
    this._displays.clear();
    const shown = readOnlyNotebook(notebook);
    shown.cells.forEach((cell, index) => {
      const outputs = cell['outputs'];
      if (Array.isArray(outputs)) {
        cell['outputs'] = (outputs as nbformat.IOutput[])
          .map(output => this._ledger.admit(index, output))
          .filter(output => output !== null);
      }
    });
    this.model.fromJSON(shown);
    this._loaded = true;
    this._emit();
  }

  /** Shows the whole output of a cell. */
  showAll(cell: number): void {
    const outputs = this._code(cell)?.outputs;
    const held = this._ledger.reveal(cell);
    if (outputs && held.length > 0) {
      const before = outputs.toJSON().slice(0, -1);
      outputs.clear();
      before.forEach(output => outputs.add(output));
      held.forEach(({ output, displayId }) =>
        this._append(cell, output, displayId)
      );
    }
    this._emit();
  }

  /** The notebook as it stands, whole: for a copy. */
  toJSON(): nbformat.INotebookContent {
    const notebook = this.model.toJSON();
    notebook.cells.forEach((cell, index) => {
      const metadata = cell.metadata as Record<string, unknown>;
      delete metadata['editable'];
      delete metadata['deletable'];
      const held = this._ledger.held(index);
      if (held.length > 0) {
        cell['outputs'] = [
          ...(cell['outputs'] as nbformat.IOutput[]).slice(0, -1),
          ...held.map(({ output }) => output)
        ];
      }
    });
    return notebook;
  }

  dispose(): void {
    this._disposed = true;
    this._listeners.clear();
    this.model.dispose();
  }

  private _applyOne(delta: Delta): void {
    this._state = nextState(this._state, delta);
    const cell = delta.cell ?? -1;
    const output = delta.output as nbformat.IOutput | null | undefined;
    switch (delta.op) {
      case 'base':
        if (delta.notebook) {
          this.load(delta.notebook as unknown as nbformat.INotebookContent);
        }
        break;
      case 'start':
      case 'clear':
        this._clear(cell);
        break;
      case 'output':
        if (output) {
          this._append(cell, output, delta.display_id ?? null);
        }
        break;
      case 'update':
        if (output && delta.display_id) {
          this._update(delta.display_id, output);
        }
        break;
      case 'end':
        this._end(cell, delta.execution_count ?? null);
        break;
      case 'done':
    }
  }

  private _append(
    cell: number,
    output: nbformat.IOutput,
    displayId: string | null
  ): void {
    const outputs = this._code(cell)?.outputs;
    const shown = outputs && this._ledger.admit(cell, output, displayId);
    if (!shown) {
      return;
    }
    const place = outputs.length;
    outputs.add(shown);
    if (displayId && shown === output) {
      const places = this._displays.get(displayId) ?? [];
      this._displays.set(displayId, [...places, [cell, place]]);
    }
  }

  private _update(displayId: string, output: nbformat.IOutput): void {
    this._ledger.update(displayId, output);
    for (const [cell, place] of this._displays.get(displayId) ?? []) {
      const outputs = this._code(cell)?.outputs;
      if (outputs && place < outputs.length) {
        outputs.set(place, output);
      }
    }
  }

  private _clear(cell: number): void {
    this._ledger.forget(cell);
    this._code(cell)?.outputs.clear();
    for (const [id, places] of this._displays) {
      this._displays.set(
        id,
        places.filter(([at]) => at !== cell)
      );
    }
  }

  private _end(cell: number, executionCount: number | null): void {
    const code = this._code(cell);
    if (code) {
      code.executionCount = executionCount;
    }
  }

  private _code(index: number): ICodeCellModel | null {
    if (index < 0 || index >= this.model.cells.length) {
      return null;
    }
    const cell = this.model.cells.get(index);
    return cell.type === 'code' ? (cell as ICodeCellModel) : null;
  }

  private _emit(): void {
    const cut = this._ledger.cells;
    if (cut.join() !== this._cut.join()) {
      this._cut = cut;
    }
    this._listeners.forEach(listener => listener());
  }

  private _cut: readonly number[] = [];
  private _disposed = false;
  /** Where outputs with a display id stand: cell and place. */
  private readonly _displays = new Map<string, [number, number][]>();
  private readonly _ledger: OutputLedger;
  private readonly _listeners = new Set<() => void>();
  private _loaded = false;
  private _state: IRunState = { running: null, failed: null, done: false };
}
