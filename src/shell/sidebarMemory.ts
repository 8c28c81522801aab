import type { IStateDB } from '@jupyterlab/statedb';

import type { ISidebarMemory, SidebarModel } from '../domain/experiments';
import type { Observable } from '../lib/observable';

const KEY = 'jupyter-mlws:sidebar';
const QUIET_MS = 300;

/** Remembers over reloads what is unfolded, and which workspace is looked at. */
export async function rememberSidebar(
  state: IStateDB,
  model: SidebarModel,
  workspace: Observable<string>
): Promise<void> {
  const memory = (await state.fetch(KEY).catch(() => undefined)) as
    (ISidebarMemory & { workspace: unknown }) | undefined;
  if (memory) {
    model.recall(memory);
    if (typeof memory.workspace === 'string' && memory.workspace) {
      workspace.set(memory.workspace);
    }
  }
  let timer: number | undefined;
  const save = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      const { view, expanded } = model.remember();
      void state.save(KEY, {
        view,
        expanded: [...expanded],
        workspace: workspace.get()
      });
    }, QUIET_MS);
  };
  model.state.subscribe(save);
  workspace.subscribe(save);
}
