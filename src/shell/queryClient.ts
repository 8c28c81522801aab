import { QueryClient } from '@tanstack/react-query';

import { isTransient } from '../api/errors';
import type { HintStream } from '../api/hints';
import { polls } from '../api/polling';
import { isShownBy, isTouched } from '../api/queryKeys';
import { Refresher } from './Refresher';

/** The last values that headers and rows show need not follow each point. */
const VALUES_MS = 1000;

/** The one QueryClient of all panels. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server may be on this very machine: the browser's "offline" says nothing about it.
        networkMode: 'always',
        gcTime: 5 * 60_000,
        // What is asked for now and then was not while the page was hidden.
        refetchOnWindowFocus: query => (polls(query) ? 'always' : false),
        retry: (failures, error) => failures < 2 && isTransient(error),
        // Hints say when data is old; until then it is fresh enough for a panel that opens again.
        staleTime: 30_000
      },
      mutations: { retry: false, networkMode: 'always' }
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
  const refresher = new Refresher(queryClient);
  const slowly = new Refresher(queryClient, VALUES_MS);
  const stopHints = hints.onHint(hint => {
    refresher.refresh(query => isTouched(query.queryKey, hint));
    slowly.refresh(query => isShownBy(query.queryKey, hint));
  });
  const stopResync = hints.onResync(() =>
    refresher.refresh(query => query.meta?.['onlyByHint'] !== true)
  );
  return () => {
    stopHints();
    stopResync();
    refresher.dispose();
    slowly.dispose();
  };
}
