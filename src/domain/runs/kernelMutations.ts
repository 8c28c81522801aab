import {
  useMutation,
  useQueryClient,
  type UseMutationResult
} from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { runKeys } from './queries';

/** Lends the kept kernel to Jupyter's server, then opens a console on it. */
export function useOpenConsole(
  id: string,
  open: (kernelId: string) => Promise<void>
): UseMutationResult<void, Error, void> {
  const api = useApi();
  return useMutation({
    mutationFn: async () => {
      const kernel = await unwrap(
        api.POST('/jobs/{run_id}/kernel/attach', {
          params: { path: { run_id: id } }
        })
      );
      await open(kernel.kernel_id);
    }
  });
}

/** So long a kernel may take to end, in ms; it is seen by then. */
const KERNEL_ENDS_MS = 1_500;

/** Ends the kept kernel. */
export function useEndKernel(id: string): UseMutationResult<void, Error, void> {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await unwrap(
        api.DELETE('/jobs/{run_id}/kernel', {
          params: { path: { run_id: id } }
        })
      );
      await new Promise(done => window.setTimeout(done, KERNEL_ENDS_MS));
    },
    onSettled: () =>
      client.invalidateQueries({ queryKey: runKeys.detail(id, 'kernel') })
  });
}
