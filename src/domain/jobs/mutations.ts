import { useMutation, useQueryClient } from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { useRequestKey } from '../../api/requestKey';
import { runKeys, type Job } from '../runs';
import { jobQueries } from './queries';
import type { JobCreate } from './types';

/**
 * Submits a job.
 *
 * @param told - Are called also when the form is gone by then.
 */
export function useSubmitJob(
  workspace: string,
  told: { onSubmitted: (job: Job) => void; onFailed: (error: Error) => void }
) {
  const api = useApi();
  const client = useQueryClient();
  const key = useRequestKey();
  return useMutation({
    mutationFn: (body: JobCreate) =>
      unwrap(
        api.POST('/workspaces/{workspace}/jobs', {
          params: { path: { workspace } },
          headers: { 'Idempotency-Key': key.of(body) },
          body
        })
      ),
    onSuccess: job => {
      key.done();
      client.setQueryData(runKeys.detail(job.run.id), job.run);
      client.setQueryData(runKeys.detail(job.run.id, 'job'), job);
      // It stands among the active ones at once; who follows them must not miss a short one.
      client.setQueryData(
        jobQueries.active(api, workspace).queryKey,
        before => ({
          jobs: [...(before?.jobs ?? []), job.run],
          ended: before?.ended ?? []
        })
      );
      told.onSubmitted(job);
    },
    onError: error => told.onFailed(error)
  });
}
