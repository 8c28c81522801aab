import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { useApi } from '../../api/context';
import { fileQueries } from './queries';
import { treeRows, type ITreeRow } from './tree';
import type { FileArea, FileEntry } from './types';

interface ITreeData {
  rows: ITreeRow[];
  /** The top is not there yet. */
  pending: boolean;
  settled: boolean;
  truncated: boolean;
  error: unknown;
  retry: () => void;
}

/** The folders that are open, fetched one by one. */
export function useFileTree(
  runId: string,
  area: FileArea,
  open: ReadonlySet<string>
): ITreeData {
  const api = useApi();
  const top = useQuery(fileQueries.list(api, runId, area, '')).data?.entries;
  // What is to be open at first may not be there.
  const paths = useMemo(
    () => ['', ...[...open].filter(path => isBelow(path, top ?? []))],
    [open, top]
  );
  const results = useQueries({
    queries: paths.map(path => fileQueries.list(api, runId, area, path))
  });
  const lists = results.map(({ data }) => data?.entries);
  const rows = useMemo(
    () =>
      treeRows(new Map(paths.map((path, i) => [path, lists[i] ?? []])), open),
    // The lists are new each time; what is in them is not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [paths, open, ...lists]
  );
  const failed = results.find(result => result.error);
  return {
    rows,
    pending: results[0]?.isPending ?? true,
    // Also the folders that are open at first.
    settled: results.every(result => !result.isPending),
    truncated: results.some(result => result.data?.truncated),
    error: failed?.error ?? null,
    retry: () => void failed?.refetch()
  };
}

function isBelow(path: string, top: readonly FileEntry[]): boolean {
  return top.some(
    entry => path === entry.path || path.startsWith(`${entry.path}/`)
  );
}
