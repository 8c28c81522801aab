import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { computeKeys } from './queries';
import type {
  ComputeCreate,
  ComputeTarget,
  ComputeUpdate,
  ShownKey
} from './types';

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

/** Makes a target of a host. */
export function useCreateTarget(): UseMutationResult<
  ComputeTarget,
  Error,
  ComputeCreate
> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: body => unwrap(api.POST('/compute', { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: computeKeys.all })
  });
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
