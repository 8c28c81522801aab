import {
  copyIcon,
  deleteIcon,
  editIcon,
  undoIcon
} from '@jupyterlab/ui-components';

import {
  rowKey,
  type ExperimentActions,
  type SidebarModel
} from '../domain/experiments';
import { tellCopied, tellWithUndo } from '../shell/tellDone';
import { copyText } from '../ui';
import { addRowCommand, type IRowCommandsInput } from './rows';

/** Ids of the commands about an experiment in the sidebar. Each takes `{ id }`, or the row under the context menu. */
export const ExperimentRowCommands = {
  goal: 'jupyter-mlws:set-experiment-goal',
  retention: 'jupyter-mlws:set-experiment-retention',
  rename: 'jupyter-mlws:rename-experiment',
  copyId: 'jupyter-mlws:copy-experiment-id',
  archive: 'jupyter-mlws:archive-experiment',
  restore: 'jupyter-mlws:restore-experiment',
  delete: 'jupyter-mlws:delete-experiment'
} as const;

export interface IExperimentRowCommandsInput extends IRowCommandsInput {
  actions: ExperimentActions;
  model: SidebarModel;
  /** Asks for metric and direction. */
  editGoal: (id: string) => Promise<void>;
  /** Asks which runs are kept. */
  editRetention: (id: string) => Promise<void>;
  /** Asks for the name, since nothing brings it back. */
  confirmDelete: (id: string) => Promise<void>;
}

/** Registers them. */
export function addExperimentRowCommands(
  input: IExperimentRowCommandsInput
): void {
  const { trans, actions, model } = input;
  addRowCommand(input, 'experiment', ExperimentRowCommands.goal, {
    label: trans.__('Set Goal…'),
    caption: trans.__('Choose the metric that says which run is best'),
    execute: id => input.editGoal(id)
  });
  addRowCommand(input, 'experiment', ExperimentRowCommands.retention, {
    label: trans.__('Clean Up…'),
    caption: trans.__('Say which runs are kept; the others go by themselves'),
    execute: id => input.editRetention(id)
  });
  addRowCommand(input, 'experiment', ExperimentRowCommands.rename, {
    label: trans.__('Rename… (F2)'),
    caption: trans.__('Give this experiment another name'),
    icon: editIcon,
    execute: id => model.edit(rowKey.experiment(id))
  });
  addRowCommand(input, 'experiment', ExperimentRowCommands.copyId, {
    label: trans.__('Copy Experiment Id'),
    caption: trans.__('Copy the id of this experiment'),
    icon: copyIcon,
    execute: async id => tellCopied(await copyText(id), id, trans)
  });
  addRowCommand(input, 'experiment', ExperimentRowCommands.archive, {
    label: trans.__('Archive Experiment'),
    caption: trans.__('Hide this experiment; its runs stay'),
    execute: async id => {
      const { name } = await actions.experiment(id);
      await actions.archive(id);
      tellWithUndo(trans.__('“%1” is archived.', name), trans, () => {
        void input.app.commands.execute(ExperimentRowCommands.restore, { id });
      });
    }
  });
  addRowCommand(input, 'experiment', ExperimentRowCommands.restore, {
    label: trans.__('Restore Experiment'),
    caption: trans.__('List this experiment again'),
    icon: undoIcon,
    execute: id => actions.restore(id)
  });
  addRowCommand(input, 'experiment', ExperimentRowCommands.delete, {
    label: trans.__('Delete for Ever…'),
    caption: trans.__('Delete this experiment with all its runs'),
    icon: deleteIcon,
    execute: id => input.confirmDelete(id)
  });
}
