import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { environmentKeys, environmentQueries } from './queries';
import type { EnvironmentCreate, EnvironmentVersion } from './types';

/** Marks everything about environments as old. */
function useRefresh(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: environmentKeys.all });
}

/** Makes an environment, or a version of one, and begins its build where that is asked. */
export function useCreateEnvironment(
  workspace: string,
  onDone: (made: EnvironmentVersion) => void
): UseMutationResult<
  EnvironmentVersion,
  Error,
  { body: EnvironmentCreate; build: boolean }
> {
  const api = useApi();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async ({ body, build }) => {
      const made = await unwrap(
        api.POST('/workspaces/{workspace}/environments', {
          params: { path: { workspace } },
          body
        })
      );
      if (build && made.build.hash !== null && made.build.status !== 'Ready') {
        const path = { workspace, name: made.name, version: `${made.version}` };
        await unwrap(
          api.POST(
            '/workspaces/{workspace}/environments/{name}/versions/{version}/build',
            { params: { path } }
          )
        );
      }
      return made;
    },
    onSuccess: onDone,
    // Also where only the build was refused: the environment is there.
    onSettled: refresh
  });
}

/** Makes an environment of what a run ran in. */
export function useRecreateEnvironment(
  runId: string
): UseMutationResult<EnvironmentVersion, Error, string> {
  const api = useApi();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: name =>
      unwrap(
        api.POST('/runs/{run_id}/environment', {
          params: { path: { run_id: runId } },
          body: { name }
        })
      ),
    onSuccess: refresh
  });
}

/** Begins the build of a version, or ends it. */
export function useBuild(
  workspace: string,
  name: string
): UseMutationResult<
  unknown,
  Error,
  { version: number; verb: 'build' | 'cancel' }
> {
  const api = useApi();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ version, verb }) => {
      const params = { path: { workspace, name, version: `${version}` } };
      return verb === 'build'
        ? unwrap(
            api.POST(
              '/workspaces/{workspace}/environments/{name}/versions/{version}/build',
              { params }
            )
          )
        : unwrap(
            api.POST(
              '/workspaces/{workspace}/environments/{name}/versions/{version}/build/cancel',
              { params }
            )
          );
    },
    // A refusal tells that what is shown is old.
    onSettled: refresh
  });
}

/** Archives an environment, or brings it back. */
export function useArchiveEnvironment(
  workspace: string
): UseMutationResult<
  unknown,
  Error,
  { name: string; verb: 'archive' | 'restore' }
> {
  const api = useApi();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ name, verb }) => {
      const params = { path: { workspace, name } };
      return verb === 'archive'
        ? unwrap(
            api.POST('/workspaces/{workspace}/environments/{name}/archive', {
              params
            })
          )
        : unwrap(
            api.POST('/workspaces/{workspace}/environments/{name}/restore', {
              params
            })
          );
    },
    onSettled: refresh
  });
}

/** Sets an alias; null removes it. */
export function useSetAlias(): UseMutationResult<
  unknown,
  Error,
  { alias: string; environment: string | null }
> {
  const api = useApi();
  const client = useQueryClient();
  const { queryKey } = environmentQueries.aliases(api);
  return useMutation({
    mutationFn: ({ alias, environment }) =>
      unwrap(
        api.PATCH('/environment-aliases', {
          body: { aliases: { [alias]: environment } }
        })
      ),
    onSuccess: reply => client.setQueryData(queryKey, reply)
  });
}
