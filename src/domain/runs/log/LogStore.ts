import { unwrap, type ApiClient } from '../../../api/client';
import {
  append,
  EMPTY_WINDOW,
  isFull,
  lineAt,
  LOG_LIMITS,
  opened,
  prepend,
  trimEnd,
  trimStart,
  type ILogLimits,
  type ILogPiece,
  type ILogWindow
} from './logWindow';

/** Which log: what the code printed, or what the workspace has to say about the job. */
export type LogStream = 'user' | 'system';

/** So many bytes at once; a log is opened with this much of its end. */
const PIECE_BYTES = 512 * 1024;
/** Further behind than this, the lines between are not fetched: the end is what people follow. */
const SKIP_BYTES = 4 * 1024 * 1024;
/** Lines above a place that is gone to. */
const CONTEXT_BYTES = 64 * 1024;

/** The part of a query that names an attempt; none for the current one. */
export function attemptOf(attempt: number | undefined): { attempt?: number } {
  return attempt === undefined ? {} : { attempt };
}

interface ILogQuery {
  offset?: number;
  before?: number;
  limit?: number;
  tail?: number;
}

/** A window on a growing log. It holds a few megabytes, whatever the log's size. */
export class LogStore {
  constructor(
    private readonly api: ApiClient,
    private readonly runId: string,
    private readonly stream: LogStream,
    private readonly limits: ILogLimits = LOG_LIMITS,
    private readonly attempt?: number
  ) {}

  /** The lines that are held. Replaced, never changed. */
  get window(): ILogWindow {
    return this._window;
  }

  /** Whether the end is watched: old lines make room for it then. Else what is read stays. */
  follow = true;

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
    this._work = this._inTurn(() => this._catchUp()).finally(() => {
      this._work = null;
    });
    return this._work;
  }

  /** Fetches lines before the window. */
  async loadEarlier(): Promise<void> {
    if (this._window.start === 0 || this._loading) {
      return;
    }
    await this._load(async () => {
      const piece = await this._fetch({
        before: this._window.start,
        limit: PIECE_BYTES
      });
      this._set(trimEnd(prepend(this._window, piece), this.limits));
    });
  }

  /** Fetches lines behind a window that does not reach the end. */
  async loadLater(): Promise<void> {
    if (this._window.atEnd || this._loading) {
      return;
    }
    await this._load(async () => {
      const piece = await this._fetch({
        offset: this._window.end,
        limit: PIECE_BYTES
      });
      this._set(trimStart(append(this._window, piece), this.limits));
    });
  }

  /** Shows the end again. */
  async toEnd(): Promise<void> {
    if (!this._window.atEnd) {
      await this._inTurn(() => this._open());
    }
  }

  /**
   * Brings the line at a byte offset into the window.
   *
   * @returns Its index.
   */
  async goTo(offset: number): Promise<number> {
    const held = lineAt(this._window, offset);
    if (held !== null) {
      return held;
    }
    return this._inTurn(async () => {
      const piece = await this._fetch({ offset, limit: PIECE_BYTES });
      const window = opened(piece, this._window);
      const context =
        offset > 0
          ? await this._fetch({ before: offset, limit: CONTEXT_BYTES })
          : null;
      this._set(context ? prepend(window, context) : window);
      return lineAt(this._window, offset) ?? 0;
    });
  }

  private async _load(work: () => Promise<void>): Promise<void> {
    this._loading = true;
    try {
      await this._inTurn(work);
    } finally {
      this._loading = false;
    }
  }

  /** One after the other: each begins where the last one left the window. */
  private _inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this._turn.then(work);
    this._turn = result.catch(() => undefined);
    return result;
  }

  /** Looks at the end; true if there is more by now. */
  private async _open(): Promise<boolean> {
    const piece = await this._fetch({ tail: PIECE_BYTES, limit: PIECE_BYTES });
    this._opened = true;
    this._set(opened(piece, this._window));
    return !this._window.atEnd;
  }

  private async _catchUp(): Promise<void> {
    for (;;) {
      this._again = false;
      const more = this._opened ? await this._step() : await this._open();
      if (!(more || this._again)) {
        return;
      }
    }
  }

  /** One look at what is new; true if there is more at once. */
  private async _step(): Promise<boolean> {
    const { end, size, atEnd, partial, done } = this._window;
    if (done) {
      return false;
    }
    if (!atEnd && !this.follow) {
      // Somebody reads further up: only the size is told.
      const piece = await this._fetch({ tail: 0 });
      this._set({ ...this._window, size: piece.size });
      return false;
    }
    const piece = await this._fetch({ offset: end, limit: PIECE_BYTES });
    const behind = piece.size - piece.next_offset;
    if (behind > SKIP_BYTES && this.follow) {
      return this._open();
    }
    if (
      piece.text ||
      piece.size !== size ||
      piece.partial !== partial ||
      piece.done
    ) {
      this._grow(piece);
    }
    return piece.next_offset > end && !this._window.atEnd && this.follow;
  }

  private _grow(piece: ILogPiece): void {
    const grown = append(this._window, piece);
    if (this.follow) {
      this._set(trimStart(grown, this.limits));
    } else if (isFull(grown, this.limits)) {
      this._set({
        ...this._window,
        size: piece.size,
        partial: '',
        atEnd: false
      });
    } else {
      this._set(grown);
    }
  }

  private _fetch(query: ILogQuery): Promise<ILogPiece> {
    return unwrap(
      this.api.GET('/jobs/{run_id}/log', {
        params: {
          path: { run_id: this.runId },
          query: { ...query, stream: this.stream, ...attemptOf(this.attempt) }
        }
      })
    );
  }

  private _set(window: ILogWindow): void {
    this._window = window;
    this._listeners.forEach(listener => listener());
  }

  private _again = false;
  private readonly _listeners = new Set<() => void>();
  private _loading = false;
  private _opened = false;
  private _turn: Promise<unknown> = Promise.resolve();
  private _window: ILogWindow = EMPTY_WINDOW;
  private _work: Promise<void> | null = null;
}
