import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { computeKeys } from './queries';
import type { ComputeTarget, ComputeUpdate } from './types';

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
