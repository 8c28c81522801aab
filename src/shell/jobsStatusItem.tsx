import { ReactWidget } from '@jupyterlab/ui-components';
import { Signal, type ISignal } from '@lumino/signaling';
import type { ReactElement } from 'react';

import { ActiveJobs, JobsStatus, type JobList } from '../domain/jobs';
import type { Observable } from '../lib/observable';
import { Providers, type IProvidersProps } from './Providers';

export interface IJobsStatusOptions extends IProvidersProps {
  workspace: Observable<string>;
  onClick: () => void;
}

/** The jobs of the workspace that is looked at, in the status bar; hidden while there are none. */
export class JobsStatusItem extends ReactWidget {
  constructor(private readonly options: IJobsStatusOptions) {
    super();
    this.addClass('jp-mlws-jobs-item');
    this._follow();
    this._stop = options.workspace.subscribe(() => this._follow());
  }

  /** Whether there is something to show. */
  readonly isActive = (): boolean => this._jobs.length > 0;

  /** Emitted when `isActive` changes. */
  get activeStateChanged(): ISignal<this, void> {
    return this._activeStateChanged;
  }

  override dispose(): void {
    this._stop();
    this._active?.dispose();
    super.dispose();
  }

  protected override render(): ReactElement {
    const { connection, translator, onClick } = this.options;
    return (
      <Providers connection={connection} translator={translator}>
        <JobsStatus jobs={this._jobs} onClick={onClick} />
      </Providers>
    );
  }

  private get _jobs(): JobList['jobs'] {
    return this._active?.list.get()?.jobs ?? [];
  }

  private _follow(): void {
    const { connection, workspace } = this.options;
    this._active?.dispose();
    this._active = new ActiveJobs(connection, workspace.get());
    this._active.list.subscribe(() => this._renew());
    this._renew();
  }

  private _renew(): void {
    this.update();
    if (this._wasActive !== this.isActive()) {
      this._wasActive = this.isActive();
      this._activeStateChanged.emit();
    }
  }

  private _active: ActiveJobs | null = null;
  private readonly _activeStateChanged = new Signal<this, void>(this);
  private readonly _stop: () => void;
  private _wasActive = false;
}
