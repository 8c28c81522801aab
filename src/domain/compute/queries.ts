import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions
} from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { ComputeTarget, Span } from './types';

/** Keys of everything about targets; hints of the kind "compute" find them. */
export const computeKeys = queryKeys('compute');

/** How often the load is asked for while jobs run or wait, in ms: no hint tells of it. */
const LOAD_EVERY_MS = 5_000;
/** How often while none does: the load of just before must not stand there as that of now. */
const IDLE_EVERY_MS = 60_000;

/** So many ended jobs come at once. */
const PAGE = 25;

/** In how many ms to ask again while no job is there: when the next kernels end, of which no hint tells, at the latest. */
function idleFor(targets: ComputeTarget[]): number {
  const ends = targets.map(one => (one.spares_end_at ?? Infinity) - Date.now());
  return Math.max(LOAD_EVERY_MS, Math.min(IDLE_EVERY_MS, ...ends));
}

/** The queries about compute targets. */
export const computeQueries = {
  targets: (api: ApiClient) =>
    queryOptions({
      queryKey: computeKeys.list(),
      queryFn: ({ signal }) => unwrap(api.GET('/compute', { signal })),
      select: reply => reply.targets,
      refetchInterval: ({ state }) =>
        state.data?.targets.some(one => one.running + one.queued > 0)
          ? LOAD_EVERY_MS
          : state.data
            ? idleFor(state.data.targets)
            : false
    }),
  /** The jobs that have ended on a target, the last first. */
  history: (api: ApiClient, name: string) =>
    infiniteQueryOptions({
      queryKey: computeKeys.of(name, 'jobs'),
      queryFn: ({ signal, pageParam }) =>
        unwrap(
          api.GET('/compute/{name}/jobs', {
            params: {
              path: { name },
              query: { limit: PAGE, ...(pageParam && { cursor: pageParam }) }
            },
            signal
          })
        ),
      initialPageParam: '',
      getNextPageParam: page => page.next_cursor
    }),
  usage: (api: ApiClient, name: string, span: Span) =>
    queryOptions({
      queryKey: computeKeys.of(name, 'usage', span),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/compute/{name}/usage', {
            params: { path: { name }, query: { span } },
            signal
          })
        ),
      // What another span showed stays until this one is there.
      placeholderData: keepPreviousData
    })
};
