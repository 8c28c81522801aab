import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Ids of the commands about compute targets. */
export const ComputeCommands = {
  show: 'jupyter-mlws:show-compute'
} as const;

/** Registers them. */
export function addComputeCommands(
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle,
  show: () => void
): void {
  commands.addCommand(ComputeCommands.show, {
    label: trans.__('Show ML Compute'),
    caption: trans.__('Where jobs run, what runs there, and what waits'),
    execute: show,
    describedBy: { args: { type: 'object', properties: {} } }
  });
}
