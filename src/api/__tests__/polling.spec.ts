import { QueryObserver } from '@tanstack/react-query';

import { createQueryClient } from '../../shell/queryClient';
import { Outage } from '../Outage';

let visibility: DocumentVisibilityState = 'visible';
Object.defineProperty(document, 'visibilityState', { get: () => visibility });

/** What a browser does when its tab is hidden or seen again. */
function show(state: DocumentVisibilityState): void {
  visibility = state;
  window.dispatchEvent(new Event('visibilitychange'));
}

describe('polling', () => {
  const client = createQueryClient();
  let stop: (() => void)[] = [];

  /** Looks at a query as a panel does; how often it was asked for. */
  function watch(refetchInterval: number | (() => number | false)): jest.Mock {
    const queryFn = jest.fn(() => Promise.resolve(1));
    const queryKey = [String(stop.length)];
    const observer = new QueryObserver(client, {
      queryKey,
      queryFn,
      refetchInterval
    });
    stop.push(observer.subscribe(() => undefined));
    return queryFn;
  }

  beforeEach(() => {
    jest.useFakeTimers();
    client.mount();
  });

  afterEach(() => {
    stop.forEach(one => one());
    stop = [];
    show('visible');
    client.clear();
    client.unmount();
    jest.useRealTimers();
  });

  it.each([
    ['a number', 1000],
    ['told by its data', () => 1000]
  ])(
    'stops while the page is hidden, and asks at once when it is seen again: %s',
    async (_, interval) => {
      const asked = watch(interval);
      await jest.advanceTimersByTimeAsync(2500);
      expect(asked).toHaveBeenCalledTimes(3);
      show('hidden');
      await jest.advanceTimersByTimeAsync(60_000);
      expect(asked).toHaveBeenCalledTimes(3);
      show('visible');
      await jest.advanceTimersByTimeAsync(0);
      expect(asked).toHaveBeenCalledTimes(4);
      await jest.advanceTimersByTimeAsync(1000);
      expect(asked).toHaveBeenCalledTimes(5);
    }
  );

  it('leaves alone what is not asked for now and then', async () => {
    const once = watch(() => false);
    await jest.advanceTimersByTimeAsync(100);
    show('hidden');
    await jest.advanceTimersByTimeAsync(60_000);
    show('visible');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(once).toHaveBeenCalledTimes(1);
  });

  it('does the same for what is fetched while there is no connection', () => {
    const poll = jest.fn();
    const outage = new Outage(() => undefined, poll);
    outage.begin();
    jest.advanceTimersByTime(5000 + 15_000);
    expect(poll).toHaveBeenCalledTimes(2);
    show('hidden');
    jest.advanceTimersByTime(60_000);
    expect(poll).toHaveBeenCalledTimes(2);
    show('visible');
    expect(poll).toHaveBeenCalledTimes(3);
    show('hidden');
    show('visible');
    expect(poll).toHaveBeenCalledTimes(3); // nothing was left out
    outage.end();
    show('hidden');
    jest.advanceTimersByTime(60_000);
    show('visible');
    expect(poll).toHaveBeenCalledTimes(3);
  });
});
