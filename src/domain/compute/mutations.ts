import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { useApi } from '../../api/context';
import { ApiError } from '../../api/errors';
import { deleteSecret, secretKeys, setSecret } from '../secrets';
import { computeKeys } from './queries';
import { freeName, secretChoice } from './secretChoice';
import type {
  ComputeCreate,
  ComputeTarget,
  ComputeUpdate,
  ShownKey
} from './types';
import type { ITypedToken } from './useTypedToken';

/** Pauses or resumes the queue of a target, or changes what jobs may have of it. */
export function useUpdateTarget(
  name: string
): UseMutationResult<ComputeTarget, Error, ComputeUpdate> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ComputeUpdate) =>
      unwrap(
        api.PATCH('/compute/{name}', { params: { path: { name } }, body })
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: computeKeys.all })
  });
}

/** Gives a job that waits another priority. */
export function useSetPriority(
  id: string
): UseMutationResult<unknown, Error, number> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (priority: number) =>
      unwrap(
        api.PATCH('/jobs/{run_id}', {
          params: { path: { run_id: id } },
          body: { priority }
        })
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: computeKeys.all })
  });
}

/** What is saved of a form. */
interface ISaved {
  /** The target that changes; null for a new one. */
  name: string | null;
  token: ITypedToken | null;
  /** What is sent, with the secret that the token was kept in, if there is one. */
  body: (secret: string | null) => ComputeCreate | ComputeUpdate;
}

/** Makes a target, or changes one that is there, and keeps the token that was typed for it. Gives its name. */
export function useSaveTarget(): UseMutationResult<string, Error, ISaved> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    // A token is not kept in the page's memory longer than it is sent.
    gcTime: 0,
    mutationFn: async ({ name, token, body }) => {
      if (!token) {
        return send(api, name, body(null));
      }
      const { workspace, secret, value } = token;
      if (secret !== null) {
        // What is refused of the target must not have cost the token that it has.
        const saved = await send(api, name, body(null));
        await setSecret(api, { workspace, name: secret }, value);
        return saved;
      }
      const made = await makeSecret(api, token);
      try {
        return await send(api, name, body(secretChoice(made)));
      } catch (error) {
        // Without an answer the target may have been made, or changed, and needs the token.
        if (error instanceof ApiError && error.status < 500) {
          // What the target was refused for is said; a secret that cannot be taken away now stands in the list of secrets.
          await deleteSecret(api, made).catch(() => undefined);
        }
        throw error;
      }
    },
    onSuccess: () => client.invalidateQueries({ queryKey: computeKeys.all }),
    onSettled: () => client.invalidateQueries({ queryKey: secretKeys.all })
  });
}

async function send(
  api: ApiClient,
  name: string | null,
  body: ComputeCreate | ComputeUpdate
): Promise<string> {
  if (name === null) {
    const made = body as ComputeCreate;
    return (await unwrap(api.POST('/compute', { body: made }))).name;
  }
  if (Object.keys(body).length > 0) {
    await unwrap(
      api.PATCH('/compute/{name}', { params: { path: { name } }, body })
    );
  }
  return name;
}

/** Keeps a token in a new secret. One that somebody has for something else is not given this value. */
async function makeSecret(
  api: ApiClient,
  { value, workspace, wish }: ITypedToken
): Promise<{ workspace: string; name: string }> {
  const { secrets } = await unwrap(
    api.GET('/workspaces/{workspace}/secrets', {
      params: { path: { workspace } }
    })
  );
  const taken = secrets.map(one => one.name);
  const made = { workspace, name: freeName(wish, taken) };
  await setSecret(api, made, value);
  return made;
}

/** Deletes a target; by force also while jobs run there, which then are lost. */
export function useDeleteTarget(
  name: string
): UseMutationResult<unknown, Error, { force: boolean }> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ force }) =>
      unwrap(
        api.DELETE('/compute/{name}', {
          params: { path: { name }, query: { force } }
        })
      ),
    onSettled: () => client.invalidateQueries({ queryKey: computeKeys.list() })
  });
}

/** Tries what a target needs, step by step; the answer stands in the target, too. */
export function useTestTarget(
  name: string
): UseMutationResult<unknown, Error, void> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      unwrap(api.POST('/compute/{name}/test', { params: { path: { name } } })),
    onSettled: () => client.invalidateQueries({ queryKey: computeKeys.list() })
  });
}

/** Asks a host for the keys that it shows now. */
export function useHostKeys(): UseMutationResult<
  ShownKey[],
  Error,
  { host: string; port: number }
> {
  const api = useApi();
  return useMutation({
    mutationFn: async body =>
      (await unwrap(api.POST('/ssh/host-keys', { body }))).keys
  });
}
