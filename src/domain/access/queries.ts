import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';

/** The queries about who may do what. */
export const accessQueries = {
  /** Who calls. */
  caller: (api: ApiClient) =>
    queryOptions({
      queryKey: ['caller'],
      queryFn: ({ signal }) => unwrap(api.GET('/info', { signal })),
      select: reply => reply.actor,
      staleTime: Infinity
    })
};
