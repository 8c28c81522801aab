import type { ApiClient } from '../../../api/client';
import { LogSearch } from '../log/LogSearch';
import { LogStore } from '../log/LogStore';

interface IQuery {
  offset?: number;
  before?: number;
  limit?: number;
  tail?: number;
  q?: string;
}

const LIMIT = 512 * 1024;

/** A log as the server reads it: whole lines, the unfinished one apart. Characters are bytes here. */
class FakeLog {
  text = '';
  requests: IQuery[] = [];

  readonly api = {
    GET: (path: string, options: { params: { query: IQuery } }) => {
      const { query } = options.params;
      this.requests.push(query);
      const data = path.endsWith('/search')
        ? this.search(query)
        : this.read(query);
      return Promise.resolve({ data, response: {} });
    }
  } as unknown as ApiClient;

  read({ offset = 0, before, limit = LIMIT, tail }: IQuery) {
    const size = this.text.length;
    const done = false;
    if (before !== undefined) {
      const from = Math.max(0, before - limit);
      const start = from && this.text.indexOf('\n', from) + 1;
      const text = this.text.slice(start, before);
      return {
        text,
        partial: '',
        offset: start,
        next_offset: before,
        size,
        done
      };
    }
    let start = offset;
    if (tail !== undefined) {
      start =
        size > tail ? this.text.indexOf('\n', size - tail) + 1 || size : 0;
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
      done
    };
  }

  /** A thousand bytes at once. */
  search({ offset = 0, q = '' }: IQuery) {
    const offsets: number[] = [];
    let at = offset;
    while (at < Math.min(this.text.length, offset + 1000)) {
      const end = this.text.indexOf('\n', at) + 1;
      if (this.text.slice(at, end).includes(q)) {
        offsets.push(at);
      }
      at = end;
    }
    return { offsets, next_offset: at, more: at < this.text.length };
  }
}

const numbered = (count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => `line ${first + i}\n`).join('');
const linesOf = (store: LogStore) => store.window.lines.map(l => l.text);

describe('LogStore', () => {
  let log: FakeLog;
  beforeEach(() => {
    log = new FakeLog();
  });
  const small = { chars: 1_500_000, lines: 1_000_000 };

  it('follows a growing log, and shows the unfinished line', async () => {
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
    log.text = numbered(80_000);
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
    log.text = 'a\n';
    const store = new LogStore(log.api, 'r', 'user');
    const first = store.catchUp();
    log.text = 'a\nb\n';
    await Promise.all([first, store.catchUp()]);
    expect(linesOf(store)).toEqual(['a', 'b']);
  });

  it('holds no more than it may, whichever way somebody reads', async () => {
    log.text = numbered(400_000);
    const store = new LogStore(log.api, 'r', 'user', small);
    const held = () => linesOf(store).join('\n').length;
    await store.catchUp();
    store.follow = false;
    while (store.window.start > 0) {
      await store.loadEarlier();
      expect(held()).toBeLessThan(small.chars + LIMIT);
    }
    expect(linesOf(store)[0]).toBe('line 0');
    expect(store.window.atEnd).toBe(false);
    while (!store.window.atEnd) {
      await store.loadLater();
      expect(held()).toBeLessThan(small.chars + LIMIT);
    }
    const lines = linesOf(store);
    expect(lines[lines.length - 1]).toBe('line 399999');
    const first = Number(lines[0]?.slice(5));
    expect(lines).toEqual(
      numbered(400_000 - first, first)
        .trimEnd()
        .split('\n')
    );
  });

  it('makes room for what comes only while the end is followed', async () => {
    const store = new LogStore(log.api, 'r', 'user', small);
    const grow = async () => {
      log.text += numbered(40_000, log.text.split('\n').length - 1);
      await store.catchUp();
    };
    await grow();
    store.follow = false;
    for (let i = 0; i < 6; i += 1) {
      await grow();
    }
    expect(linesOf(store)[0]).toBe('line 0');
    expect(store.window.atEnd).toBe(false);
    expect(store.window.size).toBe(log.text.length);
    store.follow = true;
    await store.toEnd();
    expect(linesOf(store).slice(-1)).toEqual(['line 279999']);
    expect(store.window.atEnd).toBe(true);
    await grow();
    expect(linesOf(store).slice(-1)).toEqual(['line 319999']);
  });

  it('goes to a place far away, with lines around it', async () => {
    log.text = numbered(400_000);
    const store = new LogStore(log.api, 'r', 'user', small);
    await store.catchUp();
    store.follow = false;
    const offset = log.text.indexOf('line 123456\n');
    const index = await store.goTo(offset);
    expect(linesOf(store)[index]).toBe('line 123456');
    expect(linesOf(store)[index - 1]).toBe('line 123455');
    const requests = log.requests.length;
    const near = await store.goTo(log.text.indexOf('line 123460\n'));
    expect(linesOf(store)[near]).toBe('line 123460');
    expect(log.requests).toHaveLength(requests);
  });
});

describe('LogSearch', () => {
  it('searches the whole log piece by piece, and goes on as it grows', async () => {
    const log = new FakeLog();
    log.text = numbered(1_000);
    const search = new LogSearch(log.api, 'r', 'user', '77');
    const heard: boolean[] = [];
    search.subscribe(() => heard.push(search.found.complete));
    await search.goOn();
    const wanted = log.text.split('\n').filter(line => line.includes('77'));
    const found = () =>
      search.found.offsets.map(at => log.text.slice(at).split('\n')[0]);
    expect(found()).toEqual(wanted);
    expect(heard.length).toBeGreaterThan(5);
    expect(heard.indexOf(true)).toBe(heard.length - 1);
    log.text += 'line 77 again\n';
    await search.goOn();
    expect(found()).toEqual([...wanted, 'line 77 again']);
  });
});
