import type { QueryClient } from '@tanstack/react-query';

import { unwrap, type ApiClient } from '../../api/client';
import { runKeys, type Run } from '../runs';
import { experimentKeys } from './queries';
import type { Experiment } from './types';

/** What the menus do to runs and experiments; each is told of by the change stream too. */
export class ExperimentActions {
  constructor(
    private readonly api: ApiClient,
    private readonly client: QueryClient
  ) {}

  async run(id: string): Promise<Run> {
    return unwrap(this.api.GET('/runs/{run_id}', path({ run_id: id })));
  }

  async experiment(id: string): Promise<Experiment> {
    return unwrap(
      this.api.GET('/experiments/{experiment_id}', path({ experiment_id: id }))
    );
  }

  /** Asks a job to end. */
  async cancel(id: string): Promise<void> {
    await unwrap(this.api.POST('/jobs/{run_id}/cancel', path({ run_id: id })));
    await this._lookAgain();
  }

  /** Submits a job again as it was; answers the new run. */
  async rerun(id: string): Promise<Run> {
    const job = await unwrap(
      this.api.POST('/jobs/{run_id}/rerun', {
        ...path({ run_id: id }),
        body: {}
      })
    );
    return job.run;
  }

  /** Moves a run to the bin. */
  async binRun(id: string): Promise<void> {
    await unwrap(this.api.DELETE('/runs/{run_id}', path({ run_id: id })));
    await this._lookAgain();
  }

  /** Takes a run out of the bin. */
  async restoreRun(id: string): Promise<void> {
    await unwrap(this.api.POST('/runs/{run_id}/restore', path({ run_id: id })));
    await this._lookAgain();
  }

  /** The bytes that deleting a run for ever would free. */
  async purgeBytes(id: string): Promise<number> {
    const plan = await unwrap(
      this.api.DELETE('/runs/{run_id}', {
        params: { path: { run_id: id }, query: { purge: true, dry_run: true } }
      })
    );
    return plan?.bytes_freed ?? 0;
  }

  /** Deletes a run for ever. */
  async purgeRun(id: string): Promise<void> {
    await unwrap(
      this.api.DELETE('/runs/{run_id}', {
        params: { path: { run_id: id }, query: { purge: true } }
      })
    );
    await this._lookAgain();
  }

  async archive(id: string): Promise<void> {
    await unwrap(
      this.api.POST(
        '/experiments/{experiment_id}/archive',
        path({ experiment_id: id })
      )
    );
    await this._lookAgain();
  }

  async restore(id: string): Promise<void> {
    await unwrap(
      this.api.POST(
        '/experiments/{experiment_id}/restore',
        path({ experiment_id: id })
      )
    );
    await this._lookAgain();
  }

  /** What deleting an archived experiment would take along. */
  async deletion(id: string): Promise<{ runs: number; bytes: number }> {
    const plan = await unwrap(
      this.api.DELETE('/experiments/{experiment_id}', {
        params: { path: { experiment_id: id }, query: { dry_run: true } }
      })
    );
    return { runs: plan.runs, bytes: plan.bytes_freed };
  }

  /** Deletes an archived experiment with its runs, for ever. */
  async deleteExperiment(id: string): Promise<void> {
    await unwrap(
      this.api.DELETE('/experiments/{experiment_id}', {
        params: { path: { experiment_id: id } }
      })
    );
    await this._lookAgain();
  }

  /** At once, also while no live updates arrive. */
  private async _lookAgain(): Promise<void> {
    await Promise.all(
      [runKeys.all, experimentKeys.all].map(queryKey =>
        this.client.invalidateQueries({ queryKey })
      )
    );
  }
}

function path<T>(values: T): { params: { path: T } } {
  return { params: { path: values } };
}
