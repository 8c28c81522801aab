import type { Query, QueryClient } from '@tanstack/react-query';

/** Calls that come in one burst become one pass over the queries. */
const GATHER_MS = 50;

type Test = (query: Query) => boolean;

/**
 * Marks queries as old, and has those on screen fetched again. One that is being fetched is not cut off, or
 * frequent changes would never let an answer come: it is fetched once more when it has settled.
 */
export class Refresher {
  /**
   * @param pauseMs - One pass over the queries begins so long after another at the earliest.
   */
  constructor(
    private readonly client: QueryClient,
    private readonly pauseMs = 0
  ) {
    this._stop = client.getQueryCache().subscribe(event => {
      const query = event.query as Query;
      if (event.type === 'removed') {
        this._dirty.delete(query.queryHash);
      } else if (this._dirty.has(query.queryHash) && isIdle(query)) {
        this._schedule();
      }
    });
  }

  /** Refreshes the queries that pass a test, in a moment. */
  refresh(test: Test): void {
    this._tests.push(test);
    this._schedule();
  }

  dispose(): void {
    this._stop();
    window.clearTimeout(this._timer);
    this._tests = [];
    this._dirty.clear();
  }

  private _schedule(): void {
    const pause = this._flushedAt + this.pauseMs - Date.now();
    this._timer ??= window.setTimeout(
      () => this._flush(),
      Math.max(GATHER_MS, pause)
    );
  }

  private _flush(): void {
    const tests = this._tests;
    this._tests = [];
    this._timer = undefined;
    this._flushedAt = Date.now();
    const old = new Set<string>();
    for (const query of this.client.getQueryCache().getAll()) {
      const hash = query.queryHash;
      if (this._dirty.has(hash) || tests.some(test => test(query))) {
        if (isIdle(query)) {
          this._dirty.delete(hash);
          old.add(hash);
        } else {
          this._dirty.add(hash);
        }
      }
    }
    if (old.size > 0) {
      void this.client.invalidateQueries({
        predicate: query => old.has(query.queryHash)
      });
    }
  }

  /** Hashes of queries that changed while they were being fetched. */
  private readonly _dirty = new Set<string>();
  private readonly _stop: () => void;
  private _tests: Test[] = [];
  private _flushedAt = 0;
  private _timer: number | undefined;
}

function isIdle(query: Query): boolean {
  return query.state.fetchStatus === 'idle';
}
