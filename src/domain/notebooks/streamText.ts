/** Text of a stream that takes back its last lines and goes on. Pure. */

/** Text without its last lines; the unfinished one counts. */
export function takeBack(text: string, lines: number): string {
  let end = text.length;
  for (let i = 0; i < lines; i += 1) {
    if (end === 0) {
      return '';
    }
    end = text.lastIndexOf('\n', end - 1);
    if (end < 0) {
      return '';
    }
  }
  return lines > 0 ? text.slice(0, end + 1) : text;
}

/** Lines of a text; the unfinished one counts. */
export function lineCount(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    count += 1;
  }
  return count;
}

/** A change of a text: so many lines go from its end, then this comes. */
export interface ITextChange {
  back: number;
  text: string;
}

/** One change in the place of two. */
export function joinChanges(
  first: ITextChange,
  second: ITextChange
): ITextChange {
  if (second.back === 0) {
    return { back: first.back, text: first.text + second.text };
  }
  const own = lineCount(first.text);
  return second.back < own
    ? {
        back: first.back,
        text: takeBack(first.text, second.back) + second.text
      }
    : {
        // The first line of the first change continued one that was there.
        back: Math.max(first.back, 1) + second.back - own,
        text: second.text
      };
}

/** Of each line what stands at last, where carriage returns begin it anew. */
export function settled(text: string): string {
  return text.replace(/\r+\n/g, '\n').replace(/^[^\n]*\r(?=[^\r\n])/gm, '');
}

/** So many lines of a stream can be taken back. */
const BACK_LINES = 60;
const TAIL_CHARS = 100_000;

/** A long text that changes at its end alone: joining it at each change would be quadratic. */
export class StreamParts {
  add(text: string, back: number): void {
    this._tail = settled(takeBack(this._tail, back) + text);
    if (this._tail.length > TAIL_CHARS) {
      const done = takeBack(this._tail, BACK_LINES);
      this._done.push(done);
      this._tail = this._tail.slice(done.length);
    }
  }

  toString(): string {
    return this._done.join('') + this._tail;
  }

  private readonly _done: string[] = [];
  private _tail = '';
}
