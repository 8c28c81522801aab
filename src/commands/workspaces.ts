import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import { noArguments } from './args';

/** Ids of the commands about workspaces. */
export const WorkspaceCommands = {
  /** Opens the page of all workspaces, at the one that is looked at. */
  manage: 'jupyter-mlws:manage-workspaces'
} as const;

/** Registers them. */
export function addWorkspaceCommands(
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle,
  manage: () => void
): void {
  commands.addCommand(WorkspaceCommands.manage, {
    label: args =>
      args['isPalette']
        ? trans.__('Manage ML Workspaces')
        : trans.__('Manage Workspaces'),
    caption: trans.__(
      'Rename, archive and delete workspaces, and see what they stand on'
    ),
    describedBy: noArguments(),
    execute: manage
  });
}
