import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { followLinks } from '../shell/pageLinks';
import { IMlwsPages } from '../tokens';

/** A click on a link to a page of ours, as runs show themselves in notebooks, opens the page here and not in a second Lab. */
export const linksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:links',
  description: 'Opens links to pages of the ML workspace in this window.',
  autoStart: true,
  requires: [IMlwsPages],
  activate: (app: JupyterFrontEnd, pages: IMlwsPages): void => {
    const { baseUrl } = app.serviceManager.serverSettings;
    followLinks(document, baseUrl, pages.open);
  }
};
