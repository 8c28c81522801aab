import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Ids of the commands about experiments. */
export const ExperimentCommands = {
  /** Shows the sidebar "ML Experiments". */
  show: 'jupyter-mlws:show-experiments'
} as const;

/** Registers them. */
export function addExperimentCommands(
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle,
  show: () => void
): void {
  commands.addCommand(ExperimentCommands.show, {
    label: trans.__('Show ML Experiments'),
    caption: trans.__('Show the runs of this workspace in the sidebar'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: show
  });
}
