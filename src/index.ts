import { computePlugin } from './plugins/compute';
import { connectionPlugin } from './plugins/connection';
import { experimentsPlugin } from './plugins/experiments';
import { launcherPlugin } from './plugins/launcher';
import { linksPlugin } from './plugins/links';
import { mlflowPlugin } from './plugins/mlflow';
import { notificationsPlugin } from './plugins/notifications';
import { pagesPlugin } from './plugins/pages';
import { settingsPlugin } from './plugins/settings';
import { statusBarPlugin } from './plugins/statusbar';
import { submitPlugin } from './plugins/submit';

export * from './tokens';

/** All plugins of the extension: one file each in plugins/. */
export default [
  connectionPlugin,
  settingsPlugin,
  pagesPlugin,
  linksPlugin,
  experimentsPlugin,
  computePlugin,
  submitPlugin,
  mlflowPlugin,
  statusBarPlugin,
  notificationsPlugin,
  launcherPlugin
];
