import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import { argument, noArguments } from './args';

/** Ids of the commands about compute targets. */
export const ComputeCommands = {
  show: 'jupyter-mlws:show-compute',
  /** Opens the page of a target: `{ name: "local" }`. */
  open: 'jupyter-mlws:open-compute'
} as const;

/** Registers them. */
export function addComputeCommands(
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle,
  actions: { show: () => void; open: (name: string) => void }
): void {
  commands.addCommand(ComputeCommands.show, {
    label: trans.__('Show ML Compute'),
    caption: trans.__('Where jobs run, what runs there, and what waits'),
    execute: actions.show,
    describedBy: noArguments()
  });
  commands.addCommand(ComputeCommands.open, {
    label: args =>
      argument(args, 'name')
        ? trans.__('Open Compute Target %1', argument(args, 'name'))
        : trans.__('Open Compute Target'),
    caption: trans.__('Open the page of a compute target'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: {
            type: 'string',
            description: trans.__('Its name; local when it is left out')
          }
        }
      }
    },
    execute: args => actions.open(argument(args, 'name') || 'local')
  });
}
