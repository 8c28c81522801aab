import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MenuSvg } from '@jupyterlab/ui-components';

type Commands = JupyterFrontEnd['commands'];

/** An entry of a menu; null is a line between two of them. */
export type MenuEntry = {
  command: string;
  args?: Record<string, string>;
} | null;

/** Opens a menu of commands at a place of the window. */
export function openMenu(
  commands: Commands,
  entries: readonly MenuEntry[],
  x: number,
  y: number
): void {
  const menu = new MenuSvg({ commands });
  for (const entry of entries) {
    menu.addItem(
      entry
        ? { command: entry.command, args: entry.args ?? {} }
        : { type: 'separator' }
    );
  }
  // Not before the chosen command has run: it belongs to the menu until then.
  menu.aboutToClose.connect(() => {
    requestAnimationFrame(() => menu.dispose());
  });
  menu.open(x, y);
}
