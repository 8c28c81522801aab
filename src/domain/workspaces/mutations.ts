import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import type { components } from '../../api/schema';
import { DEFAULT_WORKSPACE } from '../../lib/workspace';
import { workspaceKeys, workspaceQueries, type Workspace } from './queries';
import { useWorkspaceNow } from './useWorkspace';

type WorkspaceUpdate = components['schemas']['WorkspaceUpdate'];

/**
 * Names or describes a workspace anew; refused where somebody else did so meanwhile.
 *
 * @param onChanged Is told also where the form is gone by then: lists know the new name at once, and leave the old one's page.
 */
export function useUpdateWorkspace(
  workspace: Workspace,
  onChanged: (changed: Workspace) => void
): UseMutationResult<Workspace, Error, WorkspaceUpdate> {
  const api = useApi();
  const client = useQueryClient();
  const current = useWorkspaceNow();
  return useMutation({
    mutationFn: body =>
      unwrap(
        api.PATCH('/workspaces/{workspace}', {
          params: { path: { workspace: workspace.name } },
          headers: { 'If-Match': String(workspace.version) },
          body
        })
      ),
    onSuccess: async changed => {
      // A read that began before would bring the old name back.
      await client.cancelQueries({ queryKey: workspaceKeys.all });
      client.setQueryData(workspaceQueries.all(api).queryKey, list =>
        list?.map(one => (one.name === workspace.name ? changed : one))
      );
      if (current.get() === workspace.name) {
        current.set(changed.name);
      }
      onChanged(changed);
      // Runs and experiments carry the name too.
      await client.invalidateQueries();
    },
    onError: () => client.invalidateQueries({ queryKey: workspaceKeys.all })
  });
}

/** Archives a workspace, or brings it back. */
export function useArchiveWorkspace(
  name: string
): UseMutationResult<Workspace, Error, 'archive' | 'restore'> {
  const api = useApi();
  const leave = useLeave(name);
  return useMutation({
    mutationFn: step =>
      unwrap(
        api.POST(`/workspaces/{workspace}/${step}`, {
          params: { path: { workspace: name } }
        })
      ),
    onSuccess: ({ archived }) => leave(archived)
  });
}

/** Deletes an archived workspace with all it holds, for ever. */
export function useDeleteWorkspace(name: string): () => Promise<void> {
  const api = useApi();
  const leave = useLeave(name);
  return async () => {
    await unwrap(
      api.DELETE('/workspaces/{workspace}', {
        params: { path: { workspace: name } }
      })
    );
    await leave(true);
  };
}

/** Looks at the default workspace where this one was looked at and is gone. */
function useLeave(name: string): (gone: boolean) => Promise<void> {
  const client = useQueryClient();
  const current = useWorkspaceNow();
  return async gone => {
    if (gone && current.get() === name) {
      current.set(DEFAULT_WORKSPACE);
    }
    await client.invalidateQueries({ queryKey: workspaceKeys.all });
  };
}
