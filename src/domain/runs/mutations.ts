import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import type { components } from '../../api/schema';
import { runKeys } from './queries';
import type { Job, Run, RunUpdate } from './types';

type ReRun = components['schemas']['ReRun'];

/** Applies an edit to a run before the server has answered. */
export function withUpdate(run: Run, update: RunUpdate): Run {
  const tags = { ...run.tags };
  for (const [key, value] of Object.entries(update.tags ?? {})) {
    if (value === null) {
      delete tags[key];
    } else {
      tags[key] = value;
    }
  }
  return {
    ...run,
    name: update.name ?? run.name,
    note: update.note ?? run.note,
    tags
  };
}

/** Changes name, note or tags; seen at once, taken back when the server refuses. */
export function useUpdateRun(
  id: string
): UseMutationResult<Run, Error, RunUpdate, { before: Run | undefined }> {
  const api = useApi();
  const client = useQueryClient();
  const key = runKeys.detail(id);
  return useMutation({
    mutationFn: (body: RunUpdate) =>
      unwrap(
        api.PATCH('/runs/{run_id}', { params: { path: { run_id: id } }, body })
      ),
    onMutate: async update => {
      await client.cancelQueries({ queryKey: key, exact: true });
      const before = client.getQueryData<Run>(key);
      if (before) {
        client.setQueryData(key, withUpdate(before, update));
      }
      return { before };
    },
    onError: (_error, _update, context) => {
      client.setQueryData(key, context?.before);
    },
    onSuccess: run => client.setQueryData(key, run)
  });
}

/** Asks a job to end. */
export function useCancelJob(id: string): UseMutationResult<Job, Error, void> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/jobs/{run_id}/cancel', { params: { path: { run_id: id } } })
      ),
    onSuccess: job => client.setQueryData(runKeys.detail(id), job.run)
  });
}

/**
 * Submits a job again from its own snapshot; answers the new job.
 *
 * @param onSubmitted - Called also when what had asked for it is gone by then.
 */
export function useRerunJob(
  id: string,
  onSubmitted?: (job: Job) => void
): UseMutationResult<Job, Error, ReRun> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ReRun) =>
      unwrap(
        api.POST('/jobs/{run_id}/rerun', {
          params: { path: { run_id: id } },
          body
        })
      ),
    onSuccess: job => {
      client.setQueryData(runKeys.detail(job.run.id), job.run);
      onSubmitted?.(job);
    }
  });
}

/** Puts a run into the bin. */
export function useDeleteRun(id: string): UseMutationResult<void, Error, void> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await unwrap(
        api.DELETE('/runs/{run_id}', { params: { path: { run_id: id } } })
      );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: runKeys.all })
  });
}

/** Takes a run out of the bin. */
export function useRestoreRun(
  id: string
): UseMutationResult<void, Error, void> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await unwrap(
        api.POST('/runs/{run_id}/restore', { params: { path: { run_id: id } } })
      );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: runKeys.all })
  });
}

/** Deletes a run for ever. */
export function usePurgeRun(id: string): UseMutationResult<void, Error, void> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await unwrap(
        api.DELETE('/runs/{run_id}', {
          params: { path: { run_id: id }, query: { purge: true } }
        })
      );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: runKeys.all })
  });
}
