import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ExperimentCommands } from '../commands/experiments';
// Only ids.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { SubmitCommands } from '../commands/submit';
import { IMlwsSidebar } from '../tokens';
import { TRANSLATION_DOMAIN } from '../ui/trans';

/** Cards in the Launcher. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:launcher',
  description: 'Cards of the ML workspace in the Launcher.',
  autoStart: true,
  requires: [ILauncher, IMlwsSidebar],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    launcher: ILauncher,
    _sidebar: IMlwsSidebar,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(TRANSLATION_DOMAIN);
    const category = trans.__('ML Workspace');
    launcher.add({
      command: ExperimentCommands.show,
      args: { isLauncher: true },
      category,
      rank: 1
    });
    launcher.add({ command: SubmitCommands.runNotebook, category, rank: 2 });
  }
};
