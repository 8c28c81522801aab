import { unwrap, type ApiClient } from '../api/client';
import type { ExperimentActions, SidebarModel } from '../domain/experiments';
import { workspaceAddress } from '../lib/address';
import type { Observable } from '../lib/observable';
import type { IMlwsPages } from '../tokens';

export interface ISidebarPlacesInput {
  api: ApiClient;
  actions: ExperimentActions;
  model: SidebarModel;
  workspace: Observable<string>;
  pages: IMlwsPages;
  /** Brings the sidebar to the front. */
  show: () => void;
  /** When what was remembered is recalled: before that it would take the place of what is shown here. */
  recalled: Promise<void>;
}

/** Shows the addresses of experiments and workspaces in the sidebar. */
export function showPlaces(input: ISidebarPlacesInput): void {
  const { api, actions, model, workspace, pages, show, recalled } = input;
  pages.onPlace('experiments', async id => {
    const experiment = await actions.experiment(id);
    await recalled;
    workspace.set(experiment.workspace);
    show();
    model.revealExperiment(experiment);
  });
  pages.onPlace('workspaces', async name => {
    const found = await unwrap(
      api.GET('/workspaces/{workspace}', {
        params: { path: { workspace: name } }
      })
    );
    await recalled;
    if (found.archived) {
      // The sidebar lists it no more; its page tells how to have it back.
      pages.open(workspaceAddress(found.name, 'details'));
    } else {
      workspace.set(found.name);
      show();
    }
  });
}
