import type * as nbformat from '@jupyterlab/nbformat';

import { unwrap, type ApiClient, type UrlMaker } from '../../api/client';
import type { components } from '../../api/schema';
import type { Delta } from './deltas';
import { plainNotebook } from './plainNotebook';

type Reply = components['schemas']['NotebookDeltas'];

/** Where a notebook comes from: a job's deltas, or a file of the run. */
export type NotebookOrigin =
  | { kind: 'job'; runId: string }
  | { kind: 'artifacts' | 'snapshot'; runId: string; path: string };

/** Which part of it is asked for. */
interface IPart {
  offset: number;
  limit?: number;
  /** Outputs over so many bytes come without their content. */
  hold_over?: number;
}

/** More of a text than this is not read into the page. */
export const TEXT_LIMIT = 16_000_000;

/** Reads a notebook piece by piece. */
export class NotebookSource {
  constructor(
    private readonly api: ApiClient,
    private readonly url: UrlMaker,
    readonly origin: NotebookOrigin
  ) {}

  /** Deltas from an offset on. */
  read(part: IPart, signal?: AbortSignal): Promise<Reply> {
    const { origin } = this;
    const path = { run_id: origin.runId };
    return origin.kind === 'job'
      ? unwrap(
          this.api.GET('/jobs/{run_id}/notebook', {
            params: { path, query: part },
            signal
          })
        )
      : unwrap(
          this.api.GET('/runs/{run_id}/notebook', {
            params: {
              path,
              query: { ...part, area: origin.kind, path: origin.path }
            },
            signal
          })
        );
  }

  /** The delta at a place, whole. */
  async at(place: number): Promise<Delta | null> {
    const { deltas } = await this.read({ offset: place, limit: 1 });
    return deltas[0] ?? null;
  }

  /** The address of an image that stands at a place. */
  image(place: number): string {
    const { origin } = this;
    return origin.kind === 'job'
      ? this.url(`jobs/${origin.runId}/notebook/image`, {
          place: String(place)
        })
      : this.url(`runs/${origin.runId}/notebook/image`, {
          place: String(place),
          area: origin.kind,
          path: origin.path
        });
  }

  /**
   * The deltas between two places (both included), whole; those of other cells among them.
   *
   * @param enough - Ends the reading after so many characters.
   * @returns Them, and the place after the last one.
   */
  async between(
    first: number,
    last: number,
    enough = TEXT_LIMIT,
    holdOver?: number
  ): Promise<{ deltas: Delta[]; next: number }> {
    const found: Delta[] = [];
    let next = first;
    let read = 0;
    while (next <= last && read < enough) {
      const reply = await this.read({
        offset: next,
        limit: Math.min(enough - read + 1, 4_000_000),
        ...(holdOver ? { hold_over: holdOver } : {})
      });
      const inside = reply.deltas.filter(
        ({ place }) => typeof place === 'number' && place <= last
      );
      found.push(...inside);
      read += reply.next_offset - next;
      next = inside.length < reply.deltas.length ? last + 1 : reply.next_offset;
      if (!reply.more) {
        break;
      }
    }
    return { deltas: found, next };
  }

  /** The notebook as it stands, whole: for a copy. */
  async whole(): Promise<nbformat.INotebookContent> {
    const deltas: Delta[] = [];
    let offset = 0;
    for (;;) {
      const reply = await this.read({ offset, limit: 8_000_000 });
      deltas.push(...reply.deltas);
      offset = reply.next_offset;
      if (!reply.more) {
        return plainNotebook(deltas);
      }
    }
  }
}
