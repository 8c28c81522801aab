import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { randomId } from '../../lib/randomId';
import { runKeys, type Job } from '../runs';
import { jobQueries } from './queries';
import type { JobCreate } from './types';

/**
 * Submits a job. The same body is sent with the same Idempotency-Key, so that a second try after a lost
 * answer gives the first job and not another one.
 *
 * @param told - Are called also when the form is gone by then.
 */
export function useSubmitJob(
  workspace: string,
  told: { onSubmitted: (job: Job) => void; onFailed: (error: Error) => void }
) {
  const api = useApi();
  const client = useQueryClient();
  const last = useRef({ body: '', key: '' });
  return useMutation({
    mutationFn: (body: JobCreate) => {
      const text = JSON.stringify(body);
      if (text !== last.current.body) {
        last.current = { body: text, key: randomId() };
      }
      return unwrap(
        api.POST('/workspaces/{workspace}/jobs', {
          params: { path: { workspace } },
          headers: { 'Idempotency-Key': last.current.key },
          body
        })
      );
    },
    onSuccess: job => {
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
