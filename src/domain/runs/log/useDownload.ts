import { useMutation, type UseMutationResult } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { saveLog } from './download';
import type { LogStream } from './LogStore';

/** Saves a whole log as a file. */
export function useDownload(
  runId: string,
  stream: LogStream,
  attempt: number | undefined
): UseMutationResult<void, Error, void> {
  const api = useApi();
  return useMutation({
    mutationFn: () => saveLog(api, runId, stream, attempt)
  });
}
