import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions
} from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import { runKeys } from '../runs';
import type { Experiment, Retention } from './types';

/** Keys of everything about experiments; hints of the kind "experiment" find them. */
export const experimentKeys = queryKeys('experiment');

/** How many experiments come at once. */
const PAGE = 200;
/** How many runs a filter finds at once. */
const FOUND = 50;
/** The server gives no more at once. */
const LIMIT = 1000;

/** Which experiments are listed. */
export interface IExperimentFilter {
  workspace: string;
  q: string;
  archived: boolean;
}

/** The queries about experiments and their latest runs. */
export const experimentQueries = {
  pages: (api: ApiClient, filter: IExperimentFilter) =>
    infiniteQueryOptions({
      queryKey: experimentKeys.list(filter),
      queryFn: ({ signal, pageParam }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/experiments', {
            params: {
              path: { workspace: filter.workspace },
              query: {
                q: filter.q,
                archived: filter.archived,
                limit: PAGE,
                ...(pageParam && { cursor: pageParam })
              }
            },
            signal
          })
        ),
      initialPageParam: '',
      getNextPageParam: page => page.next_cursor
    }),
  /** Names for a field that takes one of them. */
  names: (api: ApiClient, workspace: string) =>
    queryOptions({
      queryKey: experimentKeys.list({ workspace, names: true }),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/experiments', {
            params: { path: { workspace }, query: { limit: LIMIT } },
            signal
          })
        ),
      select: page => ({
        names: page.experiments.map(({ name }) => name),
        /** There are more than these. */
        more: page.next_cursor !== null
      })
    }),
  /** Whether there is one of just this name. */
  named: (api: ApiClient, workspace: string, name: string) =>
    queryOptions({
      queryKey: experimentKeys.list({ workspace, named: name }),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/experiments', {
            params: { path: { workspace }, query: { q: name, limit: LIMIT } },
            signal
          })
        ),
      select: page => page.experiments.some(one => one.name === name)
    }),
  /** One experiment, followed as its runs change. */
  head: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.of(id, 'head'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/experiments/{experiment_id}', {
            params: { path: { experiment_id: id } },
            signal
          })
        )
    }),
  /** The rule that says which of its runs are kept. */
  retention: (api: ApiClient, id: string) =>
    queryOptions({
      queryKey: runKeys.of(id, 'retention'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/experiments/{experiment_id}/retention', {
            params: { path: { experiment_id: id } },
            signal
          })
        )
    }),
  /** What a rule would do now. */
  retentionPlan: (api: ApiClient, id: string, rule: Retention) =>
    queryOptions({
      queryKey: runKeys.of(id, 'retention', rule),
      queryFn: ({ signal }) =>
        unwrap(
          api.POST('/experiments/{experiment_id}/retention/apply', {
            params: { path: { experiment_id: id } },
            body: { rule, dry_run: true },
            signal
          })
        ),
      meta: { onlyByHint: true },
      staleTime: 0
    }),
  /** Its newest runs. */
  latest: (
    api: ApiClient,
    experiment: Pick<Experiment, 'id' | 'workspace'>,
    count: number
  ) =>
    queryOptions({
      queryKey: runKeys.of(experiment.id, 'latest', count),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/runs', {
            params: {
              path: { workspace: experiment.workspace },
              query: {
                experiment_id: [experiment.id],
                limit: Math.min(LIMIT, count)
              }
            },
            signal
          })
        ),
      // "… n more" keeps the runs that stand while the others come.
      placeholderData: keepPreviousData
    }),
  /** Runs whose name a filter finds, or those in the bin. */
  runs: (
    api: ApiClient,
    workspace: string,
    query: { q: string; view: 'active' | 'deleted' }
  ) =>
    infiniteQueryOptions({
      queryKey: runKeys.list({ workspace, ...query }),
      queryFn: ({ signal, pageParam }) =>
        unwrap(
          api.GET('/workspaces/{workspace}/runs', {
            params: {
              path: { workspace },
              query: {
                ...query,
                limit: query.view === 'deleted' ? PAGE : FOUND,
                ...(pageParam && { cursor: pageParam })
              }
            },
            signal
          })
        ),
      initialPageParam: '',
      getNextPageParam: page => page.next_cursor,
      placeholderData: keepPreviousData
    })
};
