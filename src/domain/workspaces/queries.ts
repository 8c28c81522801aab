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
  /** The archived ones too. */
  all: (api: ApiClient) =>
    queryOptions({
      queryKey: workspaceKeys.list({ archived: true }),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces', {
            params: { query: { archived: true } },
            signal
          })
        ),
      select: reply => reply.workspaces
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
      staleTime: 0
    })
};
