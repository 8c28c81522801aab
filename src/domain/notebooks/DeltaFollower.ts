import { unwrap, type ApiClient } from '../../api/client';
import type { NotebookDocument } from './NotebookDocument';

/** An answer of so many bytes was cut by the server: more is there. */
const FULL_REPLY = 1024 * 1024;

/** Brings a document up to date with its job, from where it stands. */
export class DeltaFollower {
  constructor(
    private readonly api: ApiClient,
    private readonly runId: string,
    private readonly document: NotebookDocument
  ) {}

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
    for (;;) {
      this._again = false;
      const reply = await unwrap(
        this.api.GET('/jobs/{run_id}/notebook', {
          params: {
            path: { run_id: this.runId },
            query: { offset: this._offset }
          }
        })
      );
      const more = reply.next_offset - this._offset > FULL_REPLY;
      this._offset = reply.next_offset;
      await this.document.apply(reply.deltas);
      if (reply.done || !(more || this._again)) {
        return;
      }
    }
  }

  private _again = false;
  private _offset = 0;
  private _work: Promise<void> | null = null;
}
