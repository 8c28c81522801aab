import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { SidebarModel, SidebarView } from '../domain/experiments';
import { experimentsIcon } from '../shell/icons';
import { argument, noArguments } from './args';

/** Ids of the commands about the sidebar. */
export const ExperimentCommands = {
  /** Shows the sidebar "ML Experiments". */
  show: 'jupyter-mlws:show-experiments',
  /** Chooses what it lists: `{ view: "active" | "archived" | "bin" }`. */
  view: 'jupyter-mlws:sidebar-view',
  /** Folds all experiments. */
  collapse: 'jupyter-mlws:collapse-experiments'
} as const;

/** Registers them. */
export function addExperimentCommands(
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle,
  sidebar: { model: SidebarModel; show: () => void }
): void {
  const { model, show } = sidebar;
  commands.addCommand(ExperimentCommands.show, {
    label: args =>
      args['isLauncher']
        ? trans.__('Experiments')
        : trans.__('Show ML Experiments'),
    caption: trans.__('Show the runs of this workspace in the sidebar'),
    icon: args => (args['isPalette'] ? undefined : experimentsIcon),
    describedBy: noArguments(),
    execute: show
  });
  commands.addCommand(ExperimentCommands.view, {
    label: args => viewLabel(argument(args, 'view'), trans),
    caption: trans.__('Choose what the sidebar lists'),
    isToggled: args => model.state.get().view === argument(args, 'view'),
    describedBy: {
      args: {
        type: 'object',
        required: ['view'],
        properties: {
          view: {
            type: 'string',
            enum: ['active', 'archived', 'bin'],
            description: trans.__('What to list')
          }
        }
      }
    },
    execute: args => {
      show();
      model.show(toView(argument(args, 'view')));
    }
  });
  commands.addCommand(ExperimentCommands.collapse, {
    label: trans.__('Collapse All Experiments'),
    caption: trans.__('Fold every experiment in the sidebar'),
    describedBy: noArguments(),
    isEnabled: () => model.state.get().expanded.length > 0,
    execute: () => model.collapseAll()
  });
}

function toView(text: string): SidebarView {
  return text === 'archived' || text === 'bin' ? text : 'active';
}

function viewLabel(view: string, trans: TranslationBundle): string {
  const labels: Record<SidebarView, string> = {
    active: trans.__('Experiments'),
    archived: trans.__('Archived Experiments'),
    bin: trans.__('Bin')
  };
  return labels[toView(view)];
}
