import { useMutation, useQueryClient } from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { runKeys, type Run } from '../runs';
import { experimentKeys } from './queries';
import type { Experiment } from './types';

/** Gives a run another name. */
export function useRenameRun(id: string) {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string): Promise<Run> =>
      unwrap(
        api.PATCH('/runs/{run_id}', {
          params: { path: { run_id: id } },
          body: { name }
        })
      ),
    onSuccess: async run => {
      client.setQueryData(runKeys.detail(id), run);
      await client.invalidateQueries({
        queryKey: runKeys.of(run.experiment_id)
      });
    }
  });
}

/** Gives an experiment another name. */
export function useRenameExperiment(id: string) {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string): Promise<Experiment> =>
      unwrap(
        api.PATCH('/experiments/{experiment_id}', {
          params: { path: { experiment_id: id } },
          body: { name }
        })
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: runKeys.of(id, 'head') });
      await client.invalidateQueries({ queryKey: experimentKeys.all });
    }
  });
}
