import { QueryObserver, type QueryClient } from '@tanstack/react-query';

import type { IServerAccess } from '../../api/context';
import { Observable } from '../../lib/observable';
import type { Run } from '../runs';
import { jobQueries } from './queries';

/** How often it looks again while no live updates arrive, in ms. */
const FALLBACK_MS = 15_000;

/** Jobs that run or wait in one workspace, followed as long as the page stands. */
export class ActiveJobs {
  /** The jobs; undefined before the first answer. */
  readonly jobs = new Observable<readonly Run[] | undefined>(undefined);

  constructor(
    connection: IServerAccess & { queryClient: QueryClient },
    workspace: string
  ) {
    const { api, hints, queryClient } = connection;
    const observer = new QueryObserver(queryClient, {
      ...jobQueries.active(api, workspace),
      refetchInterval: () => (hints.connected ? false : FALLBACK_MS)
    });
    this._stop = observer.subscribe(({ data }) => this.jobs.set(data));
  }

  dispose(): void {
    this._stop();
  }

  private readonly _stop: () => void;
}
