import { unwrap, type ApiClient } from '../../../api/client';
import { attemptOf, type LogStream } from './LogStore';

/** What a search has found so far. Replaced, never changed. */
export interface IFound {
  /** Byte offsets of the lines that hold the words, in order. */
  offsets: readonly number[];
  /** The whole log was searched, as it stood. */
  complete: boolean;
  /** There are more than anybody will step through. */
  many: boolean;
}

export const NOTHING_FOUND: IFound = {
  offsets: [],
  complete: true,
  many: false
};

export const SEARCHING: IFound = { ...NOTHING_FOUND, complete: false };

const MOST = 10_000;

/** Looks for words in a whole log, on the server: a tab holds only a part of it. */
export class LogSearch {
  constructor(
    private readonly api: ApiClient,
    private readonly runId: string,
    private readonly stream: LogStream,
    readonly words: string,
    private readonly attempt?: number
  ) {}

  get found(): IFound {
    return this._found;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  /** Searches on from where it stands, to the end of the log as it is now. */
  async goOn(): Promise<void> {
    if (this._running || this._found.many) {
      return;
    }
    this._running = true;
    try {
      let more = true;
      while (more) {
        more = await this._step();
      }
    } finally {
      this._running = false;
    }
  }

  /** Nobody waits for it any more. */
  dispose(): void {
    this._stop.abort();
    this._listeners.clear();
  }

  private async _step(): Promise<boolean> {
    const reply = await unwrap(
      this.api.GET('/jobs/{run_id}/log/search', {
        params: {
          path: { run_id: this.runId },
          query: {
            q: this.words,
            offset: this._at,
            stream: this.stream,
            ...attemptOf(this.attempt)
          }
        },
        signal: this._stop.signal
      })
    );
    this._at = reply.next_offset;
    const offsets = reply.offsets.length
      ? [...this._found.offsets, ...reply.offsets]
      : this._found.offsets;
    const many = reply.more && offsets.length >= MOST;
    this._found = { offsets, complete: !reply.more || many, many };
    this._listeners.forEach(listener => listener());
    return reply.more && !many;
  }

  private _at = 0;
  private _found = SEARCHING;
  private readonly _listeners = new Set<() => void>();
  private _running = false;
  private readonly _stop = new AbortController();
}
