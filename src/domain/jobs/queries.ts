import { queryOptions } from '@tanstack/react-query';

import { accessQueries } from '../access';
import { unwrap, type ApiClient } from '../../api/client';
import { computeQueries } from '../compute';
import { environmentQueries } from '../environments';
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
  kernels: environmentQueries.kernels,
  targets: computeQueries.targets,
  /** Who calls. */
  caller: accessQueries.caller
};
