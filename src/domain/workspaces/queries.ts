import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { components } from '../../api/schema';

/** A workspace. */
export type Workspace = components['schemas']['Workspace'];

/** Keys of everything about workspaces; hints of the kind "workspace" find them. */
export const workspaceKeys = queryKeys('workspace');

/** The queries about workspaces. */
export const workspaceQueries = {
  list: (api: ApiClient) =>
    queryOptions({
      queryKey: workspaceKeys.list(),
      queryFn: ({ signal }) => unwrap(api.GET('/workspaces', { signal })),
      select: reply => reply.workspaces.filter(({ archived }) => !archived)
    })
};
