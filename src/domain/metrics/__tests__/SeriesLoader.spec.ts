import type { ApiClient } from '../../../api/client';
import { SeriesLoader } from '../SeriesLoader';

interface IAsked {
  key: string[];
  signal: AbortSignal;
}

function anApi(failing = false): { api: ApiClient; asked: IAsked[] } {
  const asked: IAsked[] = [];
  const api = {
    GET: (
      _path: string,
      options: { params: { query: { key: string[] } }; signal: AbortSignal }
    ) => {
      const { key } = options.params.query;
      asked.push({ key, signal: options.signal });
      const series = key
        .filter(one => one !== 'gone')
        .map(one => ({ key: one }));
      return failing
        ? Promise.reject(new Error('no'))
        : Promise.resolve({ data: { series }, response: {} });
    }
  };
  return { api: api as unknown as ApiClient, asked };
}

const never = new AbortController().signal;

describe('SeriesLoader', () => {
  it('asks once for all curves of a moment', async () => {
    const { api, asked } = anApi();
    const loader = new SeriesLoader(api);
    const answers = await Promise.all([
      loader.load('r', ['loss'], 100, never),
      loader.load('r', ['acc', 'loss'], 100, never),
      loader.load('r', ['gone'], 100, never)
    ]);
    expect(asked.map(({ key }) => key)).toEqual([['loss', 'acc', 'gone']]);
    expect(answers.map(series => series.map(({ key }) => key))).toEqual([
      ['loss'],
      ['acc', 'loss'],
      []
    ]);
  });

  it('keeps runs and sizes apart, and addresses short', async () => {
    const { api, asked } = anApi();
    const loader = new SeriesLoader(api);
    await Promise.all([
      loader.load('r', ['loss'], 100, never),
      loader.load('s', ['loss'], 100, never),
      loader.load('r', ['loss'], 32, never)
    ]);
    expect(asked).toHaveLength(3);
    const long = Array.from({ length: 60 }, (_, i) => `${'x'.repeat(200)}${i}`);
    await Promise.all(long.map(key => loader.load('r', [key], 100, never)));
    for (const { key } of asked) {
      expect(key.join('').length).toBeLessThanOrEqual(4000);
    }
  });

  it('fails all of them when the request does', async () => {
    const loader = new SeriesLoader(anApi(true).api);
    const answers = await Promise.allSettled([
      loader.load('r', ['loss'], 100, never),
      loader.load('r', ['acc'], 100, never)
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected'
    ]);
  });

  it('breaks off only when nobody waits any more', async () => {
    const { api, asked } = anApi();
    const loader = new SeriesLoader(api);
    const [one, two] = [new AbortController(), new AbortController()];
    const both = Promise.all([
      loader.load('r', ['loss'], 100, one.signal),
      loader.load('r', ['acc'], 100, two.signal)
    ]);
    await both;
    one.abort();
    expect(asked[0]?.signal.aborted).toBe(false);
    two.abort();
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});
