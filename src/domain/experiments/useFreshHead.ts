import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import { experimentQueries } from './queries';
import type { Experiment } from './types';

/** The list tells of experiments that come and go; this tells of what changes in one of them. */
export function useFreshHead(experiment: Experiment): Experiment {
  const { data } = useQuery({
    ...experimentQueries.head(useApi(), experiment.id),
    initialData: experiment,
    staleTime: Infinity
  });
  return data;
}
