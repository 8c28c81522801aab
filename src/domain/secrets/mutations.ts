import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { secretKeys, type Secret } from './queries';

/** Makes a secret, or gives it another value. */
export function useSetSecret(
  workspace: string,
  onDone: () => void
): UseMutationResult<Secret, Error, { name: string; value: string }> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, value }) =>
      unwrap(
        api.PUT('/workspaces/{workspace}/secrets/{name}', {
          params: { path: { workspace, name } },
          body: { value }
        })
      ),
    // The value is not kept in the page's memory longer than it is sent.
    gcTime: 0,
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: secretKeys.all });
    }
  });
}

/** Deletes a secret, for ever. */
export function useDeleteSecret(
  workspace: string
): (name: string) => Promise<void> {
  const api = useApi();
  const client = useQueryClient();
  return async name => {
    await unwrap(
      api.DELETE('/workspaces/{workspace}/secrets/{name}', {
        params: { path: { workspace, name } }
      })
    );
    await client.invalidateQueries({ queryKey: secretKeys.all });
  };
}
