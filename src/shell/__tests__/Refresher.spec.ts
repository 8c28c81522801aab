import { onlineManager, QueryObserver } from '@tanstack/react-query';

import { createQueryClient } from '../queryClient';
import { Refresher } from '../Refresher';

/** A query whose answers come when the test says so. */
function slowQuery(client = createQueryClient()) {
  const open: ((value: number) => void)[] = [];
  const signals: AbortSignal[] = [];
  const observer = new QueryObserver(client, {
    queryKey: ['run', 'detail', 'a'],
    queryFn: ({ signal }) => {
      signals.push(signal);
      return new Promise<number>(resolve => open.push(resolve));
    }
  });
  const stop = observer.subscribe(() => undefined);
  return { client, open, signals, observer, stop };
}

/** Lets promises settle. */
const settle = async (): Promise<void> => {
  await jest.advanceTimersByTimeAsync(0);
};

describe('Refresher', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('lets answers come, however frequent the changes are', async () => {
    const { client, open, signals, observer, stop } = slowQuery();
    const refresher = new Refresher(client);
    for (let i = 0; i < 20; i += 1) {
      refresher.refresh(() => true);
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(open).toHaveLength(1);
    expect(signals[0]?.aborted).toBe(false);
    open[0]?.(1);
    await settle();
    expect(observer.getCurrentResult().data).toBe(1);
    // Once more, since it changed meanwhile; and then not again.
    await jest.advanceTimersByTimeAsync(100);
    expect(open).toHaveLength(2);
    open[1]?.(2);
    await jest.advanceTimersByTimeAsync(1000);
    expect(observer.getCurrentResult().data).toBe(2);
    expect(open).toHaveLength(2);
    stop();
    refresher.dispose();
    client.clear();
  });

  it('fetches nothing that was not touched', async () => {
    const { client, open, stop } = slowQuery();
    const refresher = new Refresher(client);
    open[0]?.(1);
    await settle();
    refresher.refresh(({ queryKey }) => queryKey[2] === 'b');
    await jest.advanceTimersByTimeAsync(1000);
    expect(open).toHaveLength(1);
    stop();
    refresher.dispose();
    client.clear();
  });

  it('fetches also while the browser believes to be offline', async () => {
    onlineManager.setOnline(false);
    const { client, open, observer, stop } = slowQuery();
    expect(open).toHaveLength(1);
    open[0]?.(1);
    await settle();
    expect(observer.getCurrentResult().data).toBe(1);
    const change = jest.fn(() => Promise.resolve(1));
    await client
      .getMutationCache()
      .build(client, client.defaultMutationOptions({ mutationFn: change }))
      .execute(undefined);
    expect(change).toHaveBeenCalled();
    onlineManager.setOnline(true);
    stop();
    client.clear();
  });
});
