import { focusManager, type Query } from '@tanstack/react-query';

/*
 * What is asked for now and then stops while the page is hidden: queries with a `refetchInterval` by themselves, everything
 * else by `everyWhileSeen`. When the page is seen again both ask at once.
 */

/** Whether somebody who looks at a query has it asked now and then, as things are. */
export function polls(query: Query): boolean {
  return query.observers.some(({ options: { refetchInterval } }) =>
    Boolean(
      typeof refetchInterval === 'function'
        ? refetchInterval(query)
        : refetchInterval
    )
  );
}

/**
 * Calls every so many ms while the page is seen, and when it is seen again after a call was left out.
 *
 * @returns A function that ends it.
 */
export function everyWhileSeen(call: () => void, ms: number): () => void {
  let missed = false;
  const timer = window.setInterval(() => {
    missed = !focusManager.isFocused();
    if (!missed) {
      call();
    }
  }, ms);
  const unsubscribe = focusManager.subscribe(seen => {
    if (seen && missed) {
      missed = false;
      call();
    }
  });
  return () => {
    window.clearInterval(timer);
    unsubscribe();
  };
}
