import { unwrap, type ApiClient } from '../../api/client';
import { endStyle, toLines, type ITextLine } from '../../lib/textLines';

/** More lines are not held: the last ones say what went wrong. */
const MOST_LINES = 20_000;

/** What has been read of a log. Replaced, never changed. */
export interface IBuildLog {
  lines: readonly ITextLine[];
  /** Number of the first line that is held. */
  base: number;
  /** No more comes. */
  done: boolean;
}

/** Reads the log of a build, from where it stopped the last time. */
export class BuildLogReader {
  constructor(
    private readonly api: ApiClient,
    private readonly path: { workspace: string; name: string; version: string }
  ) {}

  /** Fetches what is new. */
  async catchUp(signal: AbortSignal): Promise<IBuildLog> {
    let more = true;
    while (more) {
      const piece = await unwrap(
        this.api.GET(
          '/workspaces/{workspace}/environments/{name}/versions/{version}/build/log',
          {
            params: { path: this.path, query: { offset: this._offset } },
            signal
          }
        )
      );
      more = piece.next_offset > this._offset && piece.next_offset < piece.size;
      this._offset = piece.next_offset;
      this._add(piece.text, piece.done);
    }
    return this._log;
  }

  private _add(text: string, done: boolean): void {
    const { lines, base } = this._log;
    const last = lines.at(-1);
    const all = text
      ? [...lines, ...toLines(text, last && endStyle(last))]
      : lines;
    const gone = Math.max(0, all.length - MOST_LINES);
    this._log = {
      lines: gone ? all.slice(gone) : all,
      base: base + gone,
      done
    };
  }

  private _log: IBuildLog = { lines: [], base: 0, done: false };
  private _offset = 0;
}
