import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { useApi } from '../../api/context';
import { secretKeys, type Secret } from './queries';

/** Where a secret is. */
interface ISecretPlace {
  workspace: string;
  name: string;
}

/** Makes a secret, or gives it another value. */
export function setSecret(
  api: ApiClient,
  path: ISecretPlace,
  value: string
): Promise<Secret> {
  return unwrap(
    api.PUT('/workspaces/{workspace}/secrets/{name}', {
      params: { path },
      body: { value }
    })
  );
}

/** Deletes a secret, for ever. */
export async function deleteSecret(
  api: ApiClient,
  path: ISecretPlace
): Promise<void> {
  await unwrap(
    api.DELETE('/workspaces/{workspace}/secrets/{name}', { params: { path } })
  );
}

/** The same, as what a form does. */
export function useSetSecret(
  workspace: string,
  onDone: () => void
): UseMutationResult<Secret, Error, { name: string; value: string }> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, value }) => setSecret(api, { workspace, name }, value),
    // The value is not kept in the page's memory longer than it is sent.
    gcTime: 0,
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: secretKeys.all });
    }
  });
}

/** The same, and the list of secrets learns of it. */
export function useDeleteSecret(
  workspace: string
): (name: string) => Promise<void> {
  const api = useApi();
  const client = useQueryClient();
  return async name => {
    await deleteSecret(api, { workspace, name });
    await client.invalidateQueries({ queryKey: secretKeys.all });
  };
}
