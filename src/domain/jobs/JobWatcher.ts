import type { QueryClient } from '@tanstack/react-query';

import type { IServerAccess } from '../../api/context';
import { runQueries, type Run } from '../runs';
import { ActiveJobs } from './ActiveJobs';
import { endedBetween } from './endings';
import { jobQueries } from './queries';

/** Tells of jobs of the caller that end while the page stands. */
export class JobWatcher {
  /**
   * @param onEnd - Called once for each job that has ended.
   */
  constructor(
    private readonly connection: IServerAccess & { queryClient: QueryClient },
    private readonly onEnd: (run: Run) => void
  ) {}

  /** Watches a workspace too; those watched before still are, for their jobs go on. */
  watch(workspace: string): void {
    if (this._watched.has(workspace)) {
      return;
    }
    const active = new ActiveJobs(this.connection, workspace);
    this._watched.set(workspace, active);
    let before = active.list.get();
    active.list.subscribe(() => {
      const after = active.list.get();
      for (const id of endedBetween(before, after)) {
        void this._tell(id);
      }
      before = after ?? before;
    });
  }

  dispose(): void {
    for (const active of this._watched.values()) {
      active.dispose();
    }
    this._watched.clear();
  }

  private async _tell(id: string): Promise<void> {
    const { api, queryClient } = this.connection;
    try {
      const [run, info] = await Promise.all([
        queryClient.fetchQuery({ ...runQueries.run(api, id), staleTime: 0 }),
        queryClient.fetchQuery(jobQueries.caller(api))
      ]);
      if (run.user === info.actor.name) {
        this.onEnd(run);
      }
    } catch (error) {
      // A run that was deleted meanwhile needs no word.
      console.warn('The end of a job could not be read', error);
    }
  }

  private readonly _watched = new Map<string, ActiveJobs>();
}
