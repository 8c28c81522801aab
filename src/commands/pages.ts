import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Ids of the commands about pages. */
export const PageCommands = {
  /** Opens a page: `{ address: "runs/<id>" }`. */
  open: 'jupyter-mlws:open-page',
  /** Follows the address in the Lab's URL; the router calls it. */
  follow: 'jupyter-mlws:follow-address'
} as const;

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : '';

/** Registers them. */
export function addPageCommands(
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle,
  actions: {
    open: (address: string) => void;
    follow: (search: string) => void;
  }
): void {
  commands.addCommand(PageCommands.open, {
    label: trans.__('Open Page'),
    caption: trans.__('Open a page of the ML workspace by its address'),
    describedBy: {
      args: {
        type: 'object',
        required: ['address'],
        properties: {
          address: {
            type: 'string',
            description: trans.__('The address, such as runs/<id>')
          }
        }
      }
    },
    execute: args => actions.open(textOf(args['address']))
  });
  commands.addCommand(PageCommands.follow, {
    label: trans.__('Follow Address'),
    caption: trans.__('Open the page that the browser’s address names'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          search: {
            type: 'string',
            description: trans.__('The query of the browser’s address')
          }
        }
      }
    },
    execute: args => actions.follow(textOf(args['search']))
  });
}
