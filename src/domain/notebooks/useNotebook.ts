import type * as nbformat from '@jupyterlab/nbformat';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import { unwrap } from '../../api/client';
import { useApi, useLive } from '../../api/context';
import { queryKeys } from '../../api/queryKeys';
import { useTrans } from '../../ui';
import { DeltaFollower } from './DeltaFollower';
import type { IRunState } from './deltas';
import { NotebookDocument } from './NotebookDocument';

const notebookKeys = queryKeys('notebook');
const FALLBACK_MS = 15_000;

/** Where a notebook comes from: a job's deltas, or a file of the run. */
export type NotebookOrigin =
  | { kind: 'job'; runId: string }
  | { kind: 'artifacts' | 'snapshot'; runId: string; path: string };

interface IShownNotebook {
  document: NotebookDocument | null;
  loaded: boolean;
  state: IRunState;
  cut: readonly number[];
  error: unknown;
  retry: () => void;
}

const IDLE: IRunState = { running: null, failed: null, done: false };
const NONE: readonly number[] = [];
const noChange = (): (() => void) => () => undefined;

/** A document that lives as long as its view. */
function useDocument(key: string): NotebookDocument | null {
  const trans = useTrans();
  const notice = trans.__('… more output is not shown');
  const [document, setDocument] = useState<NotebookDocument | null>(null);
  useEffect(() => {
    const made = new NotebookDocument(notice);
    setDocument(made);
    return () => made.dispose();
  }, [key, notice]);
  return document;
}

/** A notebook to look at, growing while its job runs. */
export function useNotebook(origin: NotebookOrigin): IShownNotebook {
  const api = useApi();
  const live = useLive();
  const { kind, runId } = origin;
  const path = origin.kind === 'job' ? '' : origin.path;
  const document = useDocument(`${kind}/${runId}/${path}`);
  const follower = useMemo(
    () => document && new DeltaFollower(api, runId, document),
    [api, runId, document]
  );
  const query = useQuery({
    queryKey: notebookKeys.detail(runId, kind, path),
    enabled: document !== null,
    // Nothing of it stays in the cache: the document has it, and dies with the view.
    gcTime: 0,
    staleTime: 0,
    structuralSharing: false,
    refetchInterval: live || kind !== 'job' ? false : FALLBACK_MS,
    queryFn: async () => {
      if (kind === 'job') {
        await follower?.catchUp();
      } else {
        const text = await unwrap(
          api.GET(`/runs/{run_id}/${kind}/content`, {
            params: { path: { run_id: runId }, query: { path } },
            parseAs: 'text'
          })
        );
        document?.load(JSON.parse(text) as nbformat.INotebookContent);
      }
      return Date.now();
    }
  });
  const subscribe = document?.subscribe ?? noChange;
  const read = <T>(pick: (from: NotebookDocument) => T, or: T): (() => T) => {
    return () => (document ? pick(document) : or);
  };
  return {
    document,
    loaded: useSyncExternalStore(
      subscribe,
      read(d => d.loaded, false)
    ),
    state: useSyncExternalStore(
      subscribe,
      read(d => d.state, IDLE)
    ),
    cut: useSyncExternalStore(
      subscribe,
      read(d => d.cut, NONE)
    ),
    error: query.error,
    retry: () => void query.refetch()
  };
}
