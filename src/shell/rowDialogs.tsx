import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy } from 'react';

import type { ExperimentActions } from '../domain/experiments';
import { formatBytes } from '../lib/format';
import type { IProvidersProps } from './Providers';
import { openReactDialog } from './reactDialog';

/** Loaded when first needed. */
const GoalForm = lazy(async () => {
  const { GoalForm } = await import('../domain/experiments');
  return { default: GoalForm };
});
const RetentionForm = lazy(async () => {
  const { RetentionForm } = await import('../domain/experiments');
  return { default: RetentionForm };
});
const ConfirmDeletion = lazy(async () => {
  const { ConfirmDeletion } = await import('../ui/ConfirmDeletion');
  return { default: ConfirmDeletion };
});

/** The few questions that rows of the sidebar ask in a dialog. */
export class RowDialogs {
  constructor(
    private readonly providers: IProvidersProps,
    private readonly trans: TranslationBundle,
    private readonly actions: ExperimentActions
  ) {}

  /** Asks for the goal of an experiment. */
  readonly editGoal = async (id: string): Promise<void> => {
    await openReactDialog({
      ...this.providers,
      title: this.trans.__('Goal of the experiment'),
      body: close => <GoalForm experimentId={id} onDone={close} />
    });
  };

  /** Asks which runs of an experiment are kept. */
  readonly editRetention = async (id: string): Promise<void> => {
    const { name } = await this.actions.experiment(id);
    await openReactDialog({
      ...this.providers,
      title: this.trans.__('Clean up %1', name),
      body: close => <RetentionForm experimentId={id} onDone={close} />
    });
  };

  /** Asks for the name of a run before it is deleted for ever. */
  readonly confirmPurge = async (id: string): Promise<void> => {
    const { actions, trans } = this;
    const [{ name }, bytes] = await Promise.all([
      actions.run(id),
      actions.purgeBytes(id)
    ]);
    await this._confirm(
      name,
      trans.__(
        'The run “%1” goes with its metrics, logs and files. %2 become free. Nothing brings it back.',
        name,
        formatBytes(bytes)
      ),
      () => actions.purgeRun(id)
    );
  };

  /** Asks for the name of an archived experiment before it is deleted for ever. */
  readonly confirmDelete = async (id: string): Promise<void> => {
    const { actions, trans } = this;
    const [{ name }, plan] = await Promise.all([
      actions.experiment(id),
      actions.deletion(id)
    ]);
    await this._confirm(
      name,
      trans._n(
        'The experiment “%2” goes with its %1 run. %3 become free. Nothing brings it back.',
        'The experiment “%2” goes with its %1 runs. %3 become free. Nothing brings it back.',
        plan.runs,
        name,
        formatBytes(plan.bytes)
      ),
      () => actions.deleteExperiment(id)
    );
  };

  private async _confirm(
    name: string,
    text: string,
    act: () => Promise<void>
  ): Promise<void> {
    await openReactDialog({
      ...this.providers,
      title: this.trans.__('Delete for ever?'),
      body: close => (
        <ConfirmDeletion
          name={name}
          text={text}
          onConfirm={act}
          onDone={close}
        />
      )
    });
  }
}
