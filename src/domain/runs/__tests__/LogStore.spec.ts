import type { ApiClient } from '../../../api/client';
import { LogStore } from '../log/LogStore';

interface IQuery {
  offset?: number;
  limit: number;
  tail?: number;
}

/** A log as the server reads it: whole lines, the unfinished one apart. */
class FakeLog {
  text = '';
  requests: IQuery[] = [];

  readonly api = {
    GET: (_path: string, options: { params: { query: IQuery } }) => {
      const { query } = options.params;
      this.requests.push(query);
      return Promise.resolve({ data: this.read(query), response: {} });
    }
  } as unknown as ApiClient;

  read({ offset = 0, limit, tail }: IQuery) {
    const size = this.text.length;
    let start = offset;
    if (tail !== undefined && size > tail) {
      start = this.text.indexOf('\n', size - tail) + 1;
    } else if (tail !== undefined) {
      start = 0;
    }
    const data = this.text.slice(start, start + limit);
    const end = data.lastIndexOf('\n') + 1;
    const atEnd = start + data.length >= size;
    return {
      text: data.slice(0, end),
      partial: atEnd ? data.slice(end) : '',
      offset: start,
      next_offset: start + end,
      size,
      done: false
    };
  }
}

const linesOf = (store: LogStore) => store.window.lines.map(l => l.text);

describe('LogStore', () => {
  it('follows a growing log, and shows the unfinished line', async () => {
    const log = new FakeLog();
    const store = new LogStore(log.api, 'r', 'user');
    log.text = 'one\ntw';
    await store.catchUp();
    expect(linesOf(store)).toEqual(['one']);
    expect(store.window.partial).toBe('tw');
    log.text = 'one\ntwo\nthree\n';
    await store.catchUp();
    expect(linesOf(store)).toEqual(['one', 'two', 'three']);
    expect(store.window.partial).toBe('');
  });

  it('opens a long log at its end, and fetches what stood before', async () => {
    const log = new FakeLog();
    log.text = Array.from({ length: 80_000 }, (_, i) => `line ${i}\n`).join('');
    const store = new LogStore(log.api, 'r', 'user');
    await store.catchUp();
    expect(store.window.start).toBeGreaterThan(0);
    expect(linesOf(store).slice(-1)).toEqual(['line 79999']);
    while (store.window.start > 0) {
      await store.loadEarlier();
    }
    expect(linesOf(store)).toEqual(log.text.trimEnd().split('\n'));
  });

  it('looks once more when something came meanwhile', async () => {
    const log = new FakeLog();
    log.text = 'a\n';
    const store = new LogStore(log.api, 'r', 'user');
    const first = store.catchUp();
    log.text = 'a\nb\n';
    await Promise.all([first, store.catchUp()]);
    expect(linesOf(store)).toEqual(['a', 'b']);
  });
});
