import {
  copyIcon,
  deleteIcon,
  editIcon,
  launchIcon,
  runIcon,
  stopIcon,
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

/** Ids of the commands about a run in the sidebar. Each takes `{ id }`, or the row under the context menu. */
export const RunCommands = {
  open: 'jupyter-mlws:open-run',
  cancel: 'jupyter-mlws:cancel-run',
  rerun: 'jupyter-mlws:rerun-run',
  rename: 'jupyter-mlws:rename-run',
  copyId: 'jupyter-mlws:copy-run-id',
  delete: 'jupyter-mlws:delete-run',
  restore: 'jupyter-mlws:restore-run',
  purge: 'jupyter-mlws:purge-run'
} as const;

export interface IRunCommandsInput extends IRowCommandsInput {
  actions: ExperimentActions;
  model: SidebarModel;
  open: (id: string) => void;
  /** Asks for the name, since nothing brings it back. */
  confirmPurge: (id: string) => Promise<void>;
}

/** Registers them. */
export function addRunCommands(input: IRunCommandsInput): void {
  const { trans, actions, model, open } = input;
  addRowCommand(input, 'run', RunCommands.open, {
    label: trans.__('Open Run'),
    caption: trans.__('Open the page of this run'),
    icon: launchIcon,
    execute: open
  });
  addRowCommand(input, 'run', RunCommands.cancel, {
    label: trans.__('Cancel Run'),
    caption: trans.__('Interrupt it, and end all its processes'),
    icon: stopIcon,
    execute: id => actions.cancel(id)
  });
  addRowCommand(input, 'run', RunCommands.rerun, {
    label: trans.__('Re-run'),
    caption: trans.__('Submit it again: same code, same parameters'),
    icon: runIcon,
    execute: async id => {
      const run = await actions.rerun(id);
      model.reveal(run.experiment_id, run.id);
      open(run.id);
    }
  });
  addRowCommand(input, 'run', RunCommands.rename, {
    label: trans.__('Rename… (F2)'),
    caption: trans.__('Give this run another name'),
    icon: editIcon,
    execute: id => model.edit(rowKey.run(id))
  });
  addRowCommand(input, 'run', RunCommands.copyId, {
    label: trans.__('Copy Run Id'),
    caption: trans.__('Copy the whole id of this run'),
    icon: copyIcon,
    execute: async id => tellCopied(await copyText(id), id, trans)
  });
  addBinCommands(input);
}

function addBinCommands(input: IRunCommandsInput): void {
  const { trans, actions } = input;
  addRowCommand(input, 'run', RunCommands.delete, {
    label: trans.__('Move to Bin (Delete)'),
    caption: trans.__('Move this run to the bin; it can be restored'),
    icon: deleteIcon,
    execute: async id => {
      const { name } = await actions.run(id);
      await actions.binRun(id);
      tellWithUndo(trans.__('“%1” is in the bin.', name), trans, () => {
        void input.app.commands.execute(RunCommands.restore, { id });
      });
    }
  });
  addRowCommand(input, 'run', RunCommands.restore, {
    label: trans.__('Restore Run'),
    caption: trans.__('Take this run out of the bin'),
    icon: undoIcon,
    execute: id => actions.restoreRun(id)
  });
  addRowCommand(input, 'run', RunCommands.purge, {
    label: trans.__('Delete for Ever…'),
    caption: trans.__('Delete this run and its files; nothing brings it back'),
    icon: deleteIcon,
    execute: id => input.confirmPurge(id)
  });
}
