import {
  keepPreviousData,
  useInfiniteQuery,
  useQueries,
  type UseQueryResult
} from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import { useApi } from '../../api/context';
import { ApiError } from '../../api/errors';
import { stableOrder } from '../../lib/stableOrder';
import type { Run } from '../runs';
import { useWorkspace } from '../workspaces';
import { useSidebarHost } from './host';
import { experimentQueries } from './queries';
import { flatRuns, treeRows, type ILatestRuns, type TreeRow } from './rows';
import type { ISidebarState } from './SidebarModel';
import type { Experiment } from './types';

interface IRunReply {
  runs: Run[];
  total: number | null;
}

/** What the tree shows, and how it is doing. */
export interface ITree {
  rows: TreeRow[];
  loading: boolean;
  error: unknown;
  retry: () => void;
  /** When what is shown was told, and what the last try to have it anew failed with. */
  answer: { at: number; error: unknown };
  /** Fetches the next page of experiments, if there is one. */
  loadMore: () => void;
  /** Fetches more of the runs that stand by themselves. */
  loadMoreRuns: () => void;
}

/** The sidebar's state, live. */
export function useSidebarState(): ISidebarState {
  const { model } = useSidebarHost();
  return useSyncExternalStore(model.state.subscribe, model.state.get);
}

/** The rows of the tree, live; for the bin and for a filter also runs by themselves. */
export function useTree(q: string): ITree {
  const state = useSidebarState();
  const tree = useExperimentRows(q, state);
  const found = useRunRows(q, state);
  const { runs } = found;
  if (state.view === 'bin') {
    return {
      ...found,
      rows: runs
    };
  }
  return {
    ...tree,
    rows: q && runs.length > 0 ? withFound(tree.rows, runs) : tree.rows,
    loading: tree.loading || (q !== '' && found.loading),
    loadMoreRuns: found.loadMoreRuns
  };
}

/** What stands in place of the rows: a failure while there are none, and that the whole workspace is gone. */
function shownError(query: { data: unknown; error: unknown }): unknown {
  const { data, error } = query;
  return data === undefined || isGone(error) ? error : null;
}

/** Whether the workspace that was asked for is not there any more. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'workspace_not_found';
}

const FOUND_RUNS: TreeRow = {
  kind: 'note',
  key: 'found-runs',
  level: 1,
  note: 'found-runs',
  experimentId: null
};

/** A run that stands in the tree already is not listed a second time. */
function withFound(rows: TreeRow[], extra: readonly TreeRow[]): TreeRow[] {
  const there = new Set(rows.map(({ key }) => key));
  const more = extra.filter(({ key }) => !there.has(key));
  return more.length ? [...rows, FOUND_RUNS, ...more] : rows;
}

function useExperimentRows(q: string, state: ISidebarState): ITree {
  const api = useApi();
  const [workspace] = useWorkspace();
  const pages = useInfiniteQuery({
    ...experimentQueries.pages(api, {
      workspace,
      q,
      archived: state.view === 'archived'
    }),
    enabled: state.view !== 'bin',
    // While a filter is typed the old rows stay.
    placeholderData: keepPreviousData
  });
  const listed = useMemo(
    () => pages.data?.pages.flatMap(page => page.experiments) ?? [],
    [pages.data]
  );
  const experiments = useStable(listed, `${workspace}/${state.view}/${q}`);
  const latest = useLatestRuns(experiments, state);
  const expanded = useMemo(() => new Set(state.expanded), [state.expanded]);
  useFirstLook(
    state.view === 'active' && q === '' && !pages.isPlaceholderData
      ? listed[0]
      : undefined,
    state.seen !== null
  );
  const rows = useMemo(
    () => treeRows(experiments, expanded, latest),
    [experiments, expanded, latest]
  );
  return {
    rows,
    loading: pages.isPending,
    error: shownError(pages),
    answer: {
      at: pages.dataUpdatedAt,
      error: pages.error ?? [...latest.values()].find(one => one.failed)?.error
    },
    retry: () => void pages.refetch(),
    loadMore: () => {
      if (pages.hasNextPage && !pages.isFetchingNextPage) {
        void pages.fetchNextPage();
      }
    },
    loadMoreRuns: () => undefined
  };
}

/** A sidebar that nobody has used shows the newest runs, not only names. */
function useFirstLook(newest: Experiment | undefined, recalled: boolean): void {
  const { model } = useSidebarHost();
  useEffect(() => {
    if (newest && recalled) {
      model.firstLook(newest.workspace, newest.id);
    }
  }, [model, newest, recalled]);
}

/** Experiments keep their places while runs come; another filter or view orders them anew. */
function useStable(
  listed: readonly Experiment[],
  scope: string
): readonly Experiment[] {
  const order = useRef({ scope, ids: [] as string[] });
  return useMemo(() => {
    const before = order.current.scope === scope ? order.current.ids : [];
    const byId = new Map(listed.map(one => [one.id, one]));
    const ids = stableOrder(before, [...byId.keys()]);
    order.current = { scope, ids };
    return ids.flatMap(id => byId.get(id) ?? []);
  }, [listed, scope]);
}

function useLatestRuns(
  experiments: readonly Experiment[],
  state: ISidebarState
): ReadonlyMap<string, ILatestRuns> {
  const api = useApi();
  const { runsShown } = useSidebarHost();
  const usual = useSyncExternalStore(runsShown.subscribe, runsShown.get);
  const open = experiments.filter(({ id }) => state.expanded.includes(id));
  return useQueries({
    queries: open.map(experiment =>
      experimentQueries.latest(
        api,
        experiment,
        state.shown[experiment.id] ?? usual
      )
    ),
    combine: results =>
      new Map(results.map((result, i) => [open[i]?.id ?? '', toLatest(result)]))
  });
}

function toLatest(result: UseQueryResult<IRunReply>): ILatestRuns {
  return {
    runs: result.data?.runs,
    total: result.data?.total ?? null,
    answeredAt: result.dataUpdatedAt,
    failed: result.isError,
    error: result.error
  };
}

/** Runs by themselves: those that a filter finds, or those in the bin. */
function useRunRows(
  q: string,
  state: ISidebarState
): Omit<ITree, 'rows'> & { runs: TreeRow[] } {
  const [workspace] = useWorkspace();
  const bin = state.view === 'bin';
  const found = useInfiniteQuery({
    ...experimentQueries.runs(useApi(), workspace, {
      q,
      view: bin ? 'deleted' : 'active'
    }),
    enabled: bin || (q !== '' && state.view === 'active')
  });
  const { data, dataUpdatedAt: at, hasNextPage } = found;
  const runs = useMemo(() => {
    const listed = data?.pages.flatMap(page => page.runs) ?? [];
    const total = data?.pages[0]?.total ?? null;
    const hidden = !hasNextPage ? 0 : total && total - listed.length;
    return flatRuns(listed, at, hidden);
  }, [data, at, hasNextPage]);
  return {
    runs,
    loading: found.isPending,
    error: shownError(found),
    answer: { at, error: found.error },
    retry: () => void found.refetch(),
    loadMore: () => undefined,
    loadMoreRuns: () => {
      if (hasNextPage && !found.isFetchingNextPage) {
        void found.fetchNextPage();
      }
    }
  };
}
