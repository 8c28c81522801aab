import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';

/** Keys of everything about targets; hints of the kind "compute" find them. */
export const computeKeys = queryKeys('compute');

/** How often the load is asked for while jobs run or wait, in ms: no hint tells of it. */
const LOAD_EVERY_MS = 5_000;

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
          : false
    })
};
