import {
  infiniteQueryOptions,
  queryOptions,
  useQuery,
  type UseQueryResult
} from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { useApi } from '../../api/context';
import { ApiError } from '../../api/errors';
import { queryKeys } from '../../api/queryKeys';
import type { Run } from './types';

/** Keys of everything about runs; hints of the kind "run" find them. */
export const runKeys = queryKeys('run');

/** So often one looks whether a kept kernel is still there. */
const KERNEL_MS = 5_000;
/** How often a job that waits is asked why, in ms. */
const WAITING_EVERY_MS = 5_000;

/** So many runs below a run come at once. */
const CHILDREN = 200;

/** The queries about one run. */
export const runQueries = {
  run: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/runs/{run_id}', {
            params: { path: { run_id: id } },
            signal
          })
        ),
      // Its place in the queue changes with other jobs, of which no hint of its own tells.
      refetchInterval: ({ state }) =>
        state.data?.waiting ? WAITING_EVERY_MS : false
    }),
  /** The experiment that it belongs to, for its goal. */
  experiment: (api: ApiClient, id: string) =>
    queryOptions({
      // Not a detail: each point of a metric touches its experiment's details.
      queryKey: [...queryKeys('experiment').all, 'goal', id],
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/experiments/{experiment_id}', {
            params: { path: { experiment_id: id } },
            signal
          })
        )
    }),
  job: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'job'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/jobs/{run_id}', {
            params: { path: { run_id: id } },
            signal
          })
        )
    }),
  /** The file that asks for the same job; its name and tags may change. */
  jobFile: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'file'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/jobs/{run_id}/file', {
            params: { path: { run_id: id } },
            signal
          })
        )
    }),
  /** The kernel that is kept of it; null where none is. */
  kernel: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'kernel'),
      queryFn: async ({ signal }) => {
        try {
          return await unwrap(
            api.GET('/jobs/{run_id}/kernel', {
              params: { path: { run_id: id } },
              signal
            })
          );
        } catch (error) {
          if (error instanceof ApiError && error.code === 'no_kernel_kept') {
            return null;
          }
          throw error;
        }
      },
      // It may end by itself, which no hint tells.
      refetchInterval: ({ state }) => (state.data ? KERNEL_MS : false)
    }),
  /** The parameters that its snapshot's notebook declares. */
  parameters: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'parameters'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/jobs/{run_id}/parameters', {
            params: { path: { run_id: id } },
            signal
          })
        ),
      select: reply => reply.parameters
    }),
  history: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'history'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/runs/{run_id}/history', {
            params: { path: { run_id: id } },
            signal
          })
        )
    }),
  environment: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'environment'),
      queryFn: async ({ signal }) => {
        try {
          return await unwrap(
            api.GET('/runs/{run_id}/environment', {
              params: { path: { run_id: id } },
              signal
            })
          );
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) {
            // Nothing is captured (yet): not a failure.
            return null;
          }
          throw error;
        }
      }
    }),
  children: (api: ApiClient, workspace: string, id: string) =>
    infiniteQueryOptions({
      queryKey: runKeys.list({ workspace, parent: id }),
      queryFn: ({ signal, pageParam }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/runs', {
            params: {
              path: { workspace },
              query: {
                parent_id: id,
                limit: CHILDREN,
                ...(pageParam && { cursor: pageParam })
              }
            },
            signal
          })
        ),
      initialPageParam: '',
      getNextPageParam: page => page.next_cursor
    }),
  /** The bytes that deleting it for ever would free. */
  purge: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.detail(id, 'purge'),
      queryFn: async ({ signal }) => {
        const plan = await unwrap(
          api.DELETE('/runs/{run_id}', {
            params: {
              path: { run_id: id },
              query: { purge: true, dry_run: true }
            },
            signal
          })
        );
        return plan?.bytes_freed ?? 0;
      },
      meta: { onlyByHint: true },
      staleTime: 0
    }),
  inspection: (api: ApiClient, workspace: string, path: string) =>
    queryOptions({
      queryKey: ['inspection', workspace, path],
      queryFn: ({ signal }) =>
        unwrap(
          api.POST('/workspaces/{workspace}/notebooks/inspect', {
            params: { path: { workspace } },
            body: { path },
            signal
          })
        ),
      meta: { onlyByHint: true },
      retry: false
    })
};

/** One run, live. */
export function useRun(id: string): UseQueryResult<Run> {
  return useQuery(runQueries.run(useApi(), id));
}
