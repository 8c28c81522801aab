import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { computeQueries } from '../compute';
import { runKeys } from '../runs';

/** The queries about submitting, and about what was submitted. */
export const jobQueries = {
  /** The jobs that run, then those that wait; ids of those that came and ended in the last minute. */
  active: (api: ApiClient, workspace: string) =>
    queryOptions({
      queryKey: runKeys.list({ workspace, jobs: 'active' }),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/jobs', {
            params: { path: { workspace } },
            signal
          })
        )
    }),
  kernels: (api: ApiClient) =>
    queryOptions({
      queryKey: ['kernel', 'list'],
      queryFn: ({ signal }) => unwrap(api.GET('/kernels', { signal })),
      select: reply => reply.kernels
    }),
  targets: computeQueries.targets,
  /** Who calls. */
  caller: (api: ApiClient) =>
    queryOptions({
      queryKey: ['caller'],
      queryFn: ({ signal }) => unwrap(api.GET('/info', { signal })),
      select: reply => reply.actor,
      staleTime: Infinity
    })
};
