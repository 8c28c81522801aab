import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { queryKeys } from '../../api/queryKeys';
import type { components } from '../../api/schema';
import { seriesLoader } from './SeriesLoader';

/** One metric of a run: last, least, greatest. */
export type MetricSummary = components['schemas']['MetricSummary'];
/** A metric prepared for a chart. */
export type MetricSeries = components['schemas']['MetricSeries'];

/** Keys of metrics; hints of the kind "metrics" find them. */
const metricKeys = queryKeys('metrics');

/** The queries about the metrics of one run. */
export const metricQueries = {
  list: (api: ApiClient, runId: string) =>
    queryOptions({
      queryKey: metricKeys.detail(runId, 'list'),
      queryFn: ({ signal }) =>
        unwrap(
          api.GET('/runs/{run_id}/metrics', {
            params: { path: { run_id: runId } },
            signal
          })
        ),
      select: reply => reply.metrics
    }),
  series: (
    api: ApiClient,
    runId: string,
    keys: readonly string[],
    points: number
  ) =>
    queryOptions({
      queryKey: metricKeys.detail(runId, 'series', keys, points),
      // New points keep the old curve until they are here.
      placeholderData: keepPreviousData,
      structuralSharing: false,
      queryFn: ({ signal }) =>
        seriesLoader(api).load(runId, keys, points, signal)
    })
};
