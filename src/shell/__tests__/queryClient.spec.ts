import type { HintStream, IHint } from '../../api/hints';
import { ApiError } from '../../api/errors';
import { queryKeys } from '../../api/queryKeys';
import { bindHints, createQueryClient } from '../queryClient';

const runs = queryKeys('run');

function fakeHints(): {
  stream: HintStream;
  hint: (hint: Partial<IHint>) => void;
  resync: () => void;
} {
  const listeners = new Set<(hint: IHint) => void>();
  const resyncs = new Set<() => void>();
  const stream = {
    onHint: (f: (hint: IHint) => void) => {
      listeners.add(f);
      return () => listeners.delete(f);
    },
    onResync: (f: () => void) => {
      resyncs.add(f);
      return () => resyncs.delete(f);
    }
  } as unknown as HintStream;
  return {
    stream,
    hint: hint =>
      listeners.forEach(f =>
        f({ seq: 1, workspace: '', kind: 'run', id: '', parent: null, ...hint })
      ),
    resync: () => resyncs.forEach(f => f())
  };
}

describe('bindHints', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('marks what a burst of hints touches as old, in one pass', () => {
    const client = createQueryClient();
    const { stream, hint } = fakeHints();
    bindHints(stream, client);
    client.setQueryData(runs.detail('a'), 1);
    client.setQueryData(runs.detail('b'), 1);
    const invalidate = jest.spyOn(client, 'invalidateQueries');
    hint({ id: 'a' });
    hint({ id: 'a' });
    hint({ id: 'c' });
    jest.advanceTimersByTime(100);
    expect(invalidate).toHaveBeenCalledTimes(1);
    expect(client.getQueryState(runs.detail('a'))?.isInvalidated).toBe(true);
    expect(client.getQueryState(runs.detail('b'))?.isInvalidated).toBe(false);
    client.clear();
  });

  it('lets a run follow its metrics, but not each point', () => {
    const client = createQueryClient();
    const { stream, hint } = fakeHints();
    bindHints(stream, client);
    const isOld = (): boolean | undefined =>
      client.getQueryState(runs.detail('a'))?.isInvalidated;
    client.setQueryData(runs.detail('a'), 1);
    hint({ kind: 'metrics', id: 'a', parent: 'e' });
    jest.advanceTimersByTime(100);
    expect(isOld()).toBe(true);
    client.setQueryData(runs.detail('a'), 2);
    hint({ kind: 'metrics', id: 'a', parent: 'e' });
    jest.advanceTimersByTime(500);
    expect(isOld()).toBe(false);
    jest.advanceTimersByTime(500);
    expect(isOld()).toBe(true);
    client.clear();
  });

  it('marks all as old after a reconnection, and nothing once ended', () => {
    const client = createQueryClient();
    const { stream, hint, resync } = fakeHints();
    const end = bindHints(stream, client);
    client.setQueryData(runs.detail('b'), 1);
    resync();
    jest.advanceTimersByTime(100);
    expect(client.getQueryState(runs.detail('b'))?.isInvalidated).toBe(true);
    client.setQueryData(runs.detail('b'), 2);
    end();
    resync();
    hint({ id: 'b' });
    jest.advanceTimersByTime(100);
    expect(client.getQueryState(runs.detail('b'))?.isInvalidated).toBe(false);
    client.clear();
  });
});

describe('createQueryClient', () => {
  it('tries again only where that can help', () => {
    const retry = createQueryClient().getDefaultOptions().queries?.retry as (
      failures: number,
      error: Error
    ) => boolean;
    expect(retry(0, new ApiError(404, 'x', 'x'))).toBe(false);
    expect(retry(0, new ApiError(503, 'x', 'x'))).toBe(true);
    expect(retry(2, new ApiError(503, 'x', 'x'))).toBe(false);
  });
});
