import { useQuery } from '@tanstack/react-query';
import { useMemo, useSyncExternalStore } from 'react';

import { useApi } from '../../../api/context';
import { queryKeys } from '../../../api/queryKeys';
import { LogStore, type LogStream } from './LogStore';
import type { ILogWindow } from './logWindow';

const logKeys = queryKeys('log');

interface ILog {
  store: LogStore;
  window: ILogWindow;
  pending: boolean;
  error: unknown;
  retry: () => void;
}

/** A job's log, live: each hint fetches what is new. */
export function useLog(
  runId: string,
  stream: LogStream,
  follow: boolean,
  attempt?: number
): ILog {
  const api = useApi();
  const store = useMemo(
    () => new LogStore(api, runId, stream, undefined, attempt),
    [api, runId, stream, attempt]
  );
  store.follow = follow;
  const window = useSyncExternalStore(store.subscribe, () => store.window);
  const query = useQuery({
    queryKey: logKeys.detail(runId, stream, attempt),
    // The store has the lines, and dies with the view: a later view begins anew.
    gcTime: 0,
    staleTime: 0,
    structuralSharing: false,
    queryFn: async () => {
      await store.catchUp();
      return Date.now();
    }
  });
  return {
    store,
    window,
    pending: query.isPending,
    error: query.error,
    retry: () => void query.refetch()
  };
}
