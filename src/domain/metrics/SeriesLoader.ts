import { unwrap, type ApiClient } from '../../api/client';
import type { components } from '../../api/schema';

type MetricSeries = components['schemas']['MetricSeries'];

/** No more keys in one request, and no longer an address than every proxy takes. */
const KEYS = 50;
const KEY_CHARS = 4_000;

interface IWish {
  keys: readonly string[];
  signal: AbortSignal;
  resolve: (series: MetricSeries[]) => void;
  reject: (reason: unknown) => void;
}

/** Fetches curves of runs: those that are asked for in one moment come in one request, not in one for each chart. */
export class SeriesLoader {
  constructor(private readonly api: ApiClient) {}

  /** The curves of those of the keys that the run has. */
  load(
    runId: string,
    keys: readonly string[],
    points: number,
    signal: AbortSignal
  ): Promise<MetricSeries[]> {
    return new Promise((resolve, reject) => {
      const place = `${points}/${runId}`;
      const wishes = this._waiting.get(place);
      const wish = { keys, signal, resolve, reject };
      if (wishes) {
        wishes.push(wish);
        return;
      }
      const fresh = [wish];
      this._waiting.set(place, fresh);
      window.setTimeout(() => {
        this._waiting.delete(place);
        for (const group of groups(fresh)) {
          void this._fetch(runId, group, points);
        }
      });
    });
  }

  private async _fetch(
    runId: string,
    wishes: readonly IWish[],
    points: number
  ): Promise<void> {
    const key = keysOf(wishes);
    try {
      const { series } = await unwrap(
        this.api.GET('/runs/{run_id}/metrics/series', {
          params: { path: { run_id: runId }, query: { key, points } },
          signal: allAborted(wishes.map(({ signal }) => signal))
        })
      );
      const byKey = new Map(series.map(one => [one.key, one]));
      for (const { keys, resolve } of wishes) {
        resolve(keys.flatMap(key => byKey.get(key) ?? []));
      }
    } catch (reason) {
      for (const { reject } of wishes) {
        reject(reason);
      }
    }
  }

  private readonly _waiting = new Map<string, IWish[]>();
}

function keysOf(wishes: readonly IWish[]): string[] {
  return [...new Set(wishes.flatMap(({ keys }) => keys))];
}

/** Wishes that go together. */
function groups(wishes: readonly IWish[]): IWish[][] {
  const found: IWish[][] = [];
  for (const wish of wishes) {
    const last = found[found.length - 1];
    const together = keysOf([...(last ?? []), wish]);
    if (last && together.length <= KEYS && size(together) <= KEY_CHARS) {
      last.push(wish);
    } else {
      found.push([wish]);
    }
  }
  return found;
}

function size(keys: readonly string[]): number {
  return keys.reduce((sum, key) => sum + encodeURIComponent(key).length, 0);
}

/** A signal that is aborted once all of them are. */
function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const look = (): void => {
    if (signals.every(({ aborted }) => aborted)) {
      controller.abort();
    }
  };
  for (const signal of signals) {
    signal.addEventListener('abort', look);
  }
  look();
  return controller.signal;
}

const loaders = new WeakMap<ApiClient, SeriesLoader>();

/** The one loader of a client. */
export function seriesLoader(api: ApiClient): SeriesLoader {
  const known = loaders.get(api) ?? new SeriesLoader(api);
  loaders.set(api, known);
  return known;
}
