import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { components } from '../../api/schema';

/** A secret, without its value: no answer of the server has one. */
export type Secret = components['schemas']['Secret'];

/** Keys of everything about secrets; hints of the kind "secret" find them. */
export const secretKeys = queryKeys('secret');

/** The queries about secrets. */
export const secretQueries = {
  list: (api: ApiClient, workspace: string) =>
    queryOptions({
      queryKey: secretKeys.list({ workspace }),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/secrets', {
            params: { path: { workspace } },
            signal
          })
        )
    })
};
