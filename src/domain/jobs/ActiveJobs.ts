import { QueryObserver, type QueryClient } from '@tanstack/react-query';

import type { IServerAccess } from '../../api/context';
import { Observable } from '../../lib/observable';
import { jobQueries } from './queries';
import type { JobList } from './types';

/** Jobs that run or wait in one workspace, followed as long as the page stands. */
export class ActiveJobs {
  /** The jobs, and those that have just ended; undefined before the first answer. */
  readonly list = new Observable<JobList | undefined>(undefined);

  constructor(
    connection: IServerAccess & { queryClient: QueryClient },
    workspace: string
  ) {
    const { api, queryClient } = connection;
    const observer = new QueryObserver(
      queryClient,
      jobQueries.active(api, workspace)
    );
    this._stop = observer.subscribe(({ data }) => this.list.set(data));
  }

  dispose(): void {
    this._stop();
  }

  private readonly _stop: () => void;
}
