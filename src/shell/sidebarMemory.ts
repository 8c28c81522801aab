import type { IStateDB } from '@jupyterlab/statedb';

import type { ISidebarMemory, SidebarModel } from '../domain/experiments';
import type { Observable } from '../lib/observable';

const KEY = 'jupyter-mlws:sidebar';
const QUIET_MS = 300;

/** Remembers over reloads what is unfolded, and which workspace is looked at. Ends when it has recalled. */
export async function rememberSidebar(
  state: IStateDB | null,
  model: SidebarModel,
  workspace: Observable<string>
): Promise<void> {
  const memory = (await state?.fetch(KEY).catch(() => undefined)) as
    (ISidebarMemory & { workspace: unknown }) | undefined;
  model.recall(memory);
  if (typeof memory?.workspace === 'string' && memory.workspace) {
    workspace.set(memory.workspace);
  }
  let timer: number | undefined;
  const save = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      const { view, expanded, seen } = model.remember();
      void state?.save(KEY, {
        view,
        expanded: [...expanded],
        seen: [...seen],
        workspace: workspace.get()
      });
    }, QUIET_MS);
  };
  model.state.subscribe(save);
  workspace.subscribe(save);
}
