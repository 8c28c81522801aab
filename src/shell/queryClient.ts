import { QueryClient } from '@tanstack/react-query';

import { isTransient } from '../api/errors';
import type { HintStream, IHint } from '../api/hints';
import { isTouched } from '../api/queryKeys';

/** Hints that come in one burst become one pass over the queries. */
const GATHER_MS = 50;

/** The one QueryClient of all panels. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && isTransient(error),
        // Hints say when data is old; until then it is fresh enough for a panel that opens again.
        staleTime: 30_000
      },
      mutations: { retry: false }
    }
  });
}

/**
 * Lets the change stream mark queries as old; those on screen are fetched again.
 *
 * @returns A function that ends it.
 */
export function bindHints(
  hints: HintStream,
  queryClient: QueryClient
): () => void {
  let pending: IHint[] = [];
  let timer: number | undefined;

  const flush = (): void => {
    const batch = pending;
    pending = [];
    timer = undefined;
    void queryClient.invalidateQueries({
      predicate: query => batch.some(hint => isTouched(query.queryKey, hint))
    });
  };
  const stopHints = hints.onHint(hint => {
    pending.push(hint);
    timer ??= window.setTimeout(flush, GATHER_MS);
  });
  const stopResync = hints.onResync(() => {
    void queryClient.invalidateQueries();
  });
  return () => {
    window.clearTimeout(timer);
    stopHints();
    stopResync();
  };
}
