import type { NotebookDocument } from './NotebookDocument';
import type { NotebookSource } from './NotebookSource';

/** Outputs over so many bytes come without their content, and images from a quarter of it on. */
const HOLD_OVER = 64_000;
/** When the page has this many characters of output, only small ones come with their content. */
const MUCH = 20_000_000;
const HOLD_OVER_THEN = 4_000;

/** Brings a document up to date with its source, from where it stands. */
export class DeltaFollower {
  constructor(
    private readonly source: NotebookSource,
    private readonly document: NotebookDocument
  ) {}

  /** Nobody looks at the document any more: what is under way is broken off. */
  dispose(): void {
    this._stop.abort();
  }

  /** Fetches and applies what is new. Calls meanwhile wait for the same work, and then look once more. */
  catchUp(): Promise<void> {
    if (this._work) {
      this._again = true;
      return this._work;
    }
    this._work = this._follow().finally(() => {
      this._work = null;
    });
    return this._work;
  }

  private async _follow(): Promise<void> {
    while (!this._stop.signal.aborted) {
      this._again = false;
      const reply = await this.source.read(
        {
          offset: this._offset,
          hold_over: this.document.size > MUCH ? HOLD_OVER_THEN : HOLD_OVER
        },
        this._stop.signal
      );
      if (this._stop.signal.aborted) {
        return;
      }
      this._offset = reply.next_offset;
      await this.document.apply(reply.deltas);
      if (reply.done || !(reply.more || this._again)) {
        return;
      }
    }
  }

  private _again = false;
  private _offset = 0;
  private readonly _stop = new AbortController();
  private _work: Promise<void> | null = null;
}
