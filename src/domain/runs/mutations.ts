import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { ApiError } from '../../api/errors';
import { useRequestKey } from '../../api/requestKey';
import { runKeys, runQueries } from './queries';
import type { Job, ReRun, Run, RunUpdate } from './types';

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

/** Takes back an edit that the server refused; what else has come since stays, as does an edit of the same by others. */
export function withoutUpdate(run: Run, update: RunUpdate, before: Run): Run {
  const tags = { ...run.tags };
  for (const [key, value] of Object.entries(update.tags ?? {})) {
    if ((tags[key] ?? null) !== value) {
      continue;
    }
    const old = before.tags[key];
    if (old === undefined) {
      delete tags[key];
    } else {
      tags[key] = old;
    }
  }
  return {
    ...run,
    name: run.name === update.name ? before.name : run.name,
    note: run.note === update.note ? before.note : run.note,
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
    onError: async (_error, update, context) => {
      const before = context?.before;
      client.setQueryData<Run>(
        key,
        run => run && (before ? withoutUpdate(run, update, before) : run)
      );
      await client.invalidateQueries({ queryKey: key, exact: true });
    },
    onSuccess: run => client.setQueryData(key, run)
  });
}

/** Somebody else has changed the note since its editing began. */
class NoteChanged extends Error {
  override readonly name = 'NoteChanged';
}

/** So often a version that others made older is asked for anew; they changed something else then. */
const TRIES = 5;

/**
 * Saves a note over the one that its editing began with, and over no other.
 *
 * @returns A mutation that fails where the note is another one by now; the run in the cache has it then.
 */
export function useSaveNote(
  id: string
): UseMutationResult<Run, Error, { note: string; base: string }> {
  const api = useApi();
  const client = useQueryClient();
  const query = runQueries.run(api, id);
  return useMutation({
    mutationFn: async ({ note, base }) => {
      for (let tries = 1; ; tries += 1) {
        const run = await client.fetchQuery({ ...query, staleTime: 0 });
        if (run.note !== base) {
          throw new NoteChanged('The note was changed meanwhile.');
        }
        try {
          return await unwrap(
            api.PATCH('/runs/{run_id}', {
              params: { path: { run_id: id } },
              headers: { 'If-Match': String(run.version) },
              body: { note }
            })
          );
        } catch (error) {
          if (
            tries === TRIES ||
            !(error instanceof ApiError && error.code === 'stale_version')
          ) {
            throw error;
          }
        }
      }
    },
    onSuccess: run => client.setQueryData(query.queryKey, run)
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

/** Puts a job that waits on hold, or lets it go on: one on hold for its turn, one in back-off at once. */
export function useHoldJob(
  id: string
): UseMutationResult<Job, Error, 'pause' | 'resume'> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (verb: 'pause' | 'resume') =>
      unwrap(
        api.POST(
          verb === 'pause' ? '/jobs/{run_id}/pause' : '/jobs/{run_id}/resume',
          { params: { path: { run_id: id } } }
        )
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
  const key = useRequestKey();
  return useMutation({
    mutationFn: (body: ReRun) =>
      unwrap(
        api.POST('/jobs/{run_id}/rerun', {
          params: { path: { run_id: id } },
          headers: { 'Idempotency-Key': key.of(body) },
          body
        })
      ),
    onSuccess: job => {
      key.done();
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
