import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';

import { tellFailure } from '../shell/notify';
import { errorSentence } from '../ui';
import { argument } from './args';

/** What the commands about rows of the sidebar share. */
export interface IRowCommandsInput {
  app: JupyterFrontEnd;
  trans: TranslationBundle;
}

/** A command about one run or one experiment. */
export interface IRowCommand {
  label: string;
  caption: string;
  icon?: LabIcon;
  execute: (id: string) => Promise<void> | void;
}

/**
 * Registers a command about the row under the context menu, or about `{ id }`. What it fails with is told in
 * a notification: the menu is gone by then.
 */
export function addRowCommand(
  input: IRowCommandsInput,
  kind: 'run' | 'experiment',
  command: string,
  options: IRowCommand
): void {
  const { app, trans } = input;
  const { label, caption, icon } = options;
  const target = (args: Readonly<Record<string, unknown>>): string =>
    argument(args, 'id') || rowUnderMenu(app, kind);
  app.commands.addCommand(command, {
    label,
    caption,
    icon,
    isEnabled: args => target(args) !== '',
    describedBy: {
      args: {
        type: 'object',
        properties: {
          id: {
            type: 'string',
            description: trans.__(
              'Its id; the row under the context menu when left out'
            )
          }
        }
      }
    },
    execute: async args => {
      try {
        await options.execute(target(args));
      } catch (error) {
        tellFailure(trans.__('%1: %2', label, errorSentence(error, trans)));
      }
    }
  });
}

function rowUnderMenu(
  app: JupyterFrontEnd,
  kind: 'run' | 'experiment'
): string {
  const key = kind === 'run' ? 'mlwsRun' : 'mlwsExperiment';
  const row = app.contextMenuHitTest(node => node.dataset[key] !== undefined);
  return row?.dataset[key] ?? '';
}
