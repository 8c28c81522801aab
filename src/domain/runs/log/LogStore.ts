import { unwrap, type ApiClient } from '../../../api/client';
import {
  append,
  EMPTY_WINDOW,
  prepend,
  type ILogPiece,
  type ILogWindow
} from './logWindow';

/** Which log: what the code printed, or what the workspace has to say about the job. */
export type LogStream = 'user' | 'system';

/** A log is opened at its end: this many bytes of it. */
const FIRST_BYTES = 512 * 1024;
/** So many bytes at once. */
const PIECE_BYTES = 512 * 1024;
/** Further behind than this, the lines between are not fetched: the end is what people follow. */
const SKIP_BYTES = 4 * 1024 * 1024;

/** A window on a growing log. It holds a few megabytes, whatever the log's size. */
export class LogStore {
  constructor(
    private readonly api: ApiClient,
    private readonly runId: string,
    private readonly stream: LogStream
  ) {}

  /** The lines that are held. Replaced, never changed. */
  get window(): ILogWindow {
    return this._window;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  /** Fetches what is new. Calls meanwhile wait for the same work, and then look once more. */
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

  /** Fetches lines before the window. */
  async loadEarlier(): Promise<void> {
    const { start } = this._window;
    if (start === 0 || this._earlier) {
      return;
    }
    this._earlier = true;
    try {
      const piece = await this._fetch({
        offset: Math.max(0, start - PIECE_BYTES),
        limit: PIECE_BYTES
      });
      // Live lines may have pushed the window's beginning on meanwhile.
      if (this._window.start === start) {
        this._set(prepend(this._window, wholeLines(piece, start)));
      }
    } finally {
      this._earlier = false;
    }
  }

  private async _follow(): Promise<void> {
    for (;;) {
      this._again = false;
      const { end, size } = this._window;
      const piece = await this._fetch(
        this._opened
          ? { offset: end, limit: PIECE_BYTES }
          : { tail: FIRST_BYTES, limit: FIRST_BYTES }
      );
      this._opened = true;
      const behind = piece.size - piece.next_offset;
      if (behind > SKIP_BYTES) {
        this._opened = false;
        continue;
      }
      if (piece.text || piece.size !== size || this._differs(piece)) {
        this._set(append(this._window, piece));
      }
      const stuck = piece.next_offset === end && behind > 0;
      const more = behind > piece.partial.length * 4 && !stuck;
      if (piece.done || !(more || this._again)) {
        return;
      }
    }
  }

  private _differs(piece: ILogPiece): boolean {
    const { partial, done } = this._window;
    return piece.partial !== partial || piece.done !== done;
  }

  private _fetch(query: {
    offset?: number;
    limit?: number;
    tail?: number;
  }): Promise<ILogPiece> {
    return unwrap(
      this.api.GET('/jobs/{run_id}/log', {
        params: {
          path: { run_id: this.runId },
          query: { ...query, stream: this.stream }
        }
      })
    );
  }

  private _set(window: ILogWindow): void {
    this._window = window;
    this._listeners.forEach(listener => listener());
  }

  private _again = false;
  private _earlier = false;
  private readonly _listeners = new Set<() => void>();
  private _opened = false;
  private _window: ILogWindow = EMPTY_WINDOW;
  private _work: Promise<void> | null = null;
}

/** The lines of a piece before a place; it may begin in the middle of a line, and that half is left out. */
function wholeLines(piece: ILogPiece, before: number): ILogPiece {
  const bytes = new TextEncoder()
    .encode(piece.text)
    .subarray(0, before - piece.offset);
  const cut = piece.offset === 0 ? 0 : bytes.indexOf(0x0a) + 1;
  return {
    ...piece,
    text: new TextDecoder().decode(bytes.subarray(cut)),
    offset: piece.offset + cut
  };
}
