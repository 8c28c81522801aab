import type * as nbformat from '@jupyterlab/nbformat';

import { OUTPUT_LIMIT, outputSize, standIn } from './deltas';

/** An output that is not shown. */
export interface IHeldOutput {
  output: nbformat.IOutput;
  displayId: string | null;
}

interface IAccount {
  size: number;
  held: IHeldOutput[];
}

/** Counts the output of each cell, and holds back what would drown the page. */
export class OutputLedger {
  /**
   * @param notice - The line that stands where output is held back.
   */
  constructor(private readonly notice: string) {}

  /** Cells with output held back, in order. */
  get cells(): number[] {
    return [...this._accounts]
      .filter(([, { held }]) => held.length > 0)
      .map(([cell]) => cell)
      .sort((a, b) => a - b);
  }

  /**
   * Takes an output of a cell.
   *
   * @returns What to show for it: itself, a stand-in, or nothing.
   */
  admit(
    cell: number,
    output: nbformat.IOutput,
    displayId: string | null = null
  ): nbformat.IOutput | null {
    if (this._revealed.has(cell)) {
      return output;
    }
    const account = this._accounts.get(cell) ?? { size: 0, held: [] };
    this._accounts.set(cell, account);
    account.size += outputSize(output);
    if (account.size <= OUTPUT_LIMIT && account.held.length === 0) {
      return output;
    }
    account.held.push({ output, displayId });
    return account.held.length === 1 ? standIn(output, this.notice) : null;
  }

  /** What is held back of a cell, in order; the stand-in is the last output that the cell shows. */
  held(cell: number): readonly IHeldOutput[] {
    return this._accounts.get(cell)?.held ?? [];
  }

  /** Gives what was held back; from now on the cell shows everything. */
  reveal(cell: number): readonly IHeldOutput[] {
    const held = this.held(cell);
    this._accounts.delete(cell);
    this._revealed.add(cell);
    return held;
  }

  /** The cell has no outputs any more. */
  forget(cell: number): void {
    this._accounts.delete(cell);
  }

  /** Changes held outputs of a display id. */
  update(displayId: string, output: nbformat.IOutput): void {
    for (const { held } of this._accounts.values()) {
      for (const item of held) {
        if (item.displayId === displayId) {
          item.output = output;
        }
      }
    }
  }

  /** Begins anew; cells that were revealed stay so. */
  reset(): void {
    this._accounts.clear();
  }

  private readonly _accounts = new Map<number, IAccount>();
  private readonly _revealed = new Set<number>();
}
