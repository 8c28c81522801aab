import { queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient, type UrlMaker } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { FileArea } from './types';

/** Keys of files; hints of the kind "artifacts" find them. */
export const fileKeys = queryKeys('artifacts');

/** The queries about the files of a run. */
export const fileQueries = {
  list: (api: ApiClient, runId: string, area: FileArea, path: string) =>
    queryOptions({
      queryKey: fileKeys.detail(runId, area, 'list', path),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET(`/runs/{run_id}/${area}`, {
            params: { path: { run_id: runId }, query: { path } },
            signal
          })
        )
    }),
  preview: (api: ApiClient, runId: string, area: FileArea, path: string) =>
    queryOptions({
      queryKey: fileKeys.detail(runId, area, 'preview', path),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET(`/runs/{run_id}/${area}/preview`, {
            params: { path: { run_id: runId }, query: { path } },
            signal
          })
        )
    }),
  blob: (api: ApiClient, runId: string, area: FileArea, path: string) =>
    queryOptions({
      queryKey: fileKeys.detail(runId, area, 'blob', path),
      gcTime: 30_000,
      // Too much to be fetched now and then.
      meta: { onlyByHint: true },
      structuralSharing: false,
      queryFn: async ({ signal }): Promise<Blob> =>
        await unwrap(
          api.GET(`/runs/{run_id}/${area}/content`, {
            params: { path: { run_id: runId }, query: { path } },
            parseAs: 'blob',
            signal
          })
        )
    }),
  diff: (api: ApiClient, runId: string, path: string) =>
    queryOptions({
      queryKey: fileKeys.detail(runId, 'snapshot', 'diff', path),
      // The working copy changes without a hint.
      staleTime: 0,
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/runs/{run_id}/snapshot/diff', {
            params: { path: { run_id: runId }, query: { path } },
            signal
          })
        )
    })
};

/** Where the browser downloads a file from. */
export function downloadUrl(
  url: UrlMaker,
  runId: string,
  area: FileArea,
  path: string
): string {
  return url(`runs/${runId}/${area}/content`, { path, download: '1' });
}

/** Where the browser downloads a folder of outputs from, zipped. */
export function zipUrl(url: UrlMaker, runId: string, path: string): string {
  return url(`runs/${runId}/artifacts/zip`, { path });
}
