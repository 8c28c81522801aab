import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** A workspace. */
export type Workspace = Schemas['Workspace'];
/** Something a workspace stands on. */
export type Resource = Schemas['Resource'];

/** Keys of everything about workspaces; hints of the kind "workspace" find them. */
export const workspaceKeys = queryKeys('workspace');

/** The queries about workspaces. */
export const workspaceQueries = {
  /** Those that are in use. */
  list: (api: ApiClient) =>
    queryOptions({
      queryKey: workspaceKeys.list(),
      queryFn: ({ signal }) => unwrap(api.GET('/workspaces', { signal })),
      select: reply => reply.workspaces
    }),
  /** Those in use, then the archived ones: to the server they are two lists. */
  all: (api: ApiClient) =>
    queryOptions({
      queryKey: workspaceKeys.list({ all: true }),
      queryFn: async ({ signal }) => {
        const lists = await Promise.all(
          [false, true].map(archived =>
            unwrap(
              api.GET('/workspaces', {
                params: { query: { archived } },
                signal
              })
            )
          )
        );
        return lists.flatMap(({ workspaces }) => workspaces);
      }
    }),
  resources: (api: ApiClient, name: string) =>
    queryOptions({
      queryKey: workspaceKeys.detail(name, 'resources'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/resources', {
            params: { path: { workspace: name } },
            signal
          })
        ),
      // Sizes and health change without a hint.
      staleTime: 0,
      select: reply => reply.resources
    }),
  /** What deleting it would take along. */
  deletion: (api: ApiClient, name: string) =>
    queryOptions({
      queryKey: workspaceKeys.detail(name, 'deletion'),
      queryFn: ({ signal }) =>
        unwrap(
          api.DELETE('/workspaces/{workspace}', {
            params: { path: { workspace: name }, query: { dry_run: true } },
            signal
          })
        ),
      meta: { onlyByHint: true },
      staleTime: 0
    })
};
