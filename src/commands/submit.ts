import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import { experimentsIcon } from '../shell/icons';
import { tellFailure } from '../shell/notify';
import { errorSentence } from '../ui';
import { argument, noArguments } from './args';

/** Ids of the commands about submitting. */
export const SubmitCommands = {
  /** Opens the form for the notebook in front, or for `{ path }`. */
  runAsExperiment: 'jupyter-mlws:run-as-experiment',
  /** Opens the form for the notebook that is selected in the file browser. */
  runFile: 'jupyter-mlws:run-file-as-experiment',
  /** Opens it for the notebook in front, or asks for one. */
  runNotebook: 'jupyter-mlws:run-notebook'
} as const;

export interface ISubmitCommandsInput {
  commands: JupyterFrontEnd['commands'];
  trans: TranslationBundle;
  /** Path of the notebook in front; null where there is none. */
  openNotebook: () => string | null;
  /** Path of the notebook that is selected in the file browser; null where there is none. */
  selectedFile: () => string | null;
  /** Asks for a notebook; null where none was chosen. */
  chooseNotebook: () => Promise<string | null>;
  /** Saves it and opens the form. */
  submit: (path: string) => Promise<void>;
}

/** Registers them. */
export function addSubmitCommands(input: ISubmitCommandsInput): void {
  const { commands, trans } = input;
  const submit = async (path: string | null): Promise<void> => {
    try {
      if (path) {
        await input.submit(path);
      }
    } catch (error) {
      tellFailure(
        trans.__('Run as experiment: %1', errorSentence(error, trans))
      );
    }
  };
  commands.addCommand(SubmitCommands.runAsExperiment, {
    label: args =>
      args['isPalette']
        ? trans.__('Run Notebook as Experiment…')
        : trans.__('Run as experiment'),
    caption: trans.__(
      'Save this notebook and run it as a tracked experiment, with parameters of your choice'
    ),
    icon: args => (args['isPalette'] ? undefined : experimentsIcon),
    isEnabled: args =>
      argument(args, 'path') !== '' || input.openNotebook() !== null,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description: trans.__(
              'Path of the notebook; the one in front when left out'
            )
          }
        }
      }
    },
    execute: args => submit(argument(args, 'path') || input.openNotebook())
  });
  commands.addCommand(SubmitCommands.runFile, {
    label: trans.__('Run as Experiment…'),
    caption: trans.__('Run this notebook as a tracked experiment'),
    icon: experimentsIcon,
    isEnabled: () => input.selectedFile() !== null,
    describedBy: noArguments(),
    execute: () => submit(input.selectedFile())
  });
  commands.addCommand(SubmitCommands.runNotebook, {
    label: trans.__('Run a Notebook'),
    caption: trans.__(
      'Run the notebook in front, or one of your choice, as a tracked experiment'
    ),
    icon: args => (args['isPalette'] ? undefined : experimentsIcon),
    describedBy: noArguments(),
    execute: async () =>
      submit(input.openNotebook() ?? (await input.chooseNotebook()))
  });
}
