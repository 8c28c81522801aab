import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import { useApi, useUrl } from '../../api/context';
import { queryKeys } from '../../api/queryKeys';
import { DeltaFollower } from './DeltaFollower';
import type { IRunState } from './deltas';
import { NotebookDocument } from './NotebookDocument';
import { NotebookSource, type NotebookOrigin } from './NotebookSource';

const notebookKeys = queryKeys('notebook');

interface IShownNotebook {
  source: NotebookSource;
  document: NotebookDocument | null;
  loaded: boolean;
  complete: boolean;
  state: IRunState;
  error: unknown;
  retry: () => void;
}

const IDLE: IRunState = { running: null, failed: null, done: false };
const noChange = (): (() => void) => () => undefined;

/** A document that lives as long as its view. */
function useDocument(source: NotebookSource): NotebookDocument | null {
  const [document, setDocument] = useState<NotebookDocument | null>(null);
  useEffect(() => {
    const made = new NotebookDocument();
    setDocument(made);
    return () => made.dispose();
  }, [source]);
  return document;
}

/** A notebook to look at, growing while its job runs. */
export function useNotebook(origin: NotebookOrigin): IShownNotebook {
  const api = useApi();
  const url = useUrl();
  const { kind, runId } = origin;
  const path = origin.kind === 'job' ? '' : origin.path;
  const source = useMemo(
    () =>
      new NotebookSource(
        api,
        url,
        kind === 'job' ? { kind, runId } : { kind, runId, path }
      ),
    [api, url, kind, runId, path]
  );
  const document = useDocument(source);
  const follower = useMemo(
    () => document && new DeltaFollower(source, document),
    [source, document]
  );
  useEffect(() => () => follower?.dispose(), [follower]);
  const query = useQuery({
    queryKey: notebookKeys.detail(runId, kind, path),
    enabled: follower !== null,
    // Nothing of it stays in the cache: the document has it, and dies with the view.
    gcTime: 0,
    staleTime: 0,
    structuralSharing: false,
    meta: { onlyByHint: kind !== 'job' },
    queryFn: async () => {
      await follower?.catchUp();
      return Date.now();
    }
  });
  const subscribe = document?.subscribe ?? noChange;
  const read = <T>(pick: (from: NotebookDocument) => T, or: T): (() => T) => {
    return () => (document ? pick(document) : or);
  };
  return {
    source,
    document,
    loaded: useSyncExternalStore(
      subscribe,
      read(d => d.loaded, false)
    ),
    complete: useSyncExternalStore(
      subscribe,
      read(d => d.complete, false)
    ),
    state: useSyncExternalStore(
      subscribe,
      read(d => d.state, IDLE)
    ),
    error: query.error,
    retry: () => void query.refetch()
  };
}
