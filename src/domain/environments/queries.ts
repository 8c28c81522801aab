import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { Environment, EnvironmentList } from './types';

/** Keys of everything about environments; hints of the kind "environment" find them. */
export const environmentKeys = queryKeys('environment');

/** So many come at once, and so many versions are listed of one. */
const PAGE = 500;
/** While something is built it is asked for, in ms: hints may be lost. */
const BUILDING_EVERY_MS = 3_000;

/** The id of an environment, as hints have it. */
export function environmentId(workspace: string, name: string): string {
  return `${workspace}/${name}`;
}

/** The queries about environments. */
export const environmentQueries = {
  /** Those that are not archived, or those that are, by name. */
  list: (api: ApiClient, workspace: string, archived = false) =>
    queryOptions({
      queryKey: environmentKeys.list({
        workspace,
        ...(archived && { archived })
      }),
      queryFn: async ({ signal }) => {
        const found: Environment[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const query = { limit: PAGE, archived, ...(cursor && { cursor }) };
          const page: EnvironmentList = await unwrap(
            api.GET('/workspaces/{workspace}/environments', {
              params: { path: { workspace }, query },
              signal
            })
          );
          found.push(...page.environments);
          cursor = page.next_cursor;
        }
        return found;
      },
      refetchInterval: ({ state }) =>
        state.data?.some(one => one.latest.build.status === 'Building')
          ? BUILDING_EVERY_MS
          : false
    }),
  /** The newest first. */
  versions: (api: ApiClient, workspace: string, name: string) =>
    queryOptions({
      // A list: hints of a further version have another id than those of a build.
      queryKey: environmentKeys.list({ workspace, name }),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/environments/{name}', {
            params: { path: { workspace, name }, query: { limit: PAGE } },
            signal
          })
        ),
      select: reply => reply.versions,
      refetchInterval: ({ state }) =>
        state.data?.versions.some(one => one.build.status === 'Building')
          ? BUILDING_EVERY_MS
          : false
    }),
  /** What names of elsewhere mean here. */
  aliases: (api: ApiClient) =>
    queryOptions({
      queryKey: ['environment-alias', 'list'],
      queryFn: ({ signal }) =>
        unwrap(api.GET('/environment-aliases', { signal })),
      select: reply => reply.aliases
    }),
  kernels: (api: ApiClient) =>
    queryOptions({
      queryKey: ['kernel', 'list'],
      queryFn: ({ signal }) => unwrap(api.GET('/kernels', { signal })),
      select: reply => reply.kernels
    })
};
