import { connectionPlugin } from './plugins/connection';
import { experimentsPlugin } from './plugins/experiments';
import { pagesPlugin } from './plugins/pages';

export * from './tokens';

/** All plugins of the extension: one file each in plugins/. */
export default [connectionPlugin, experimentsPlugin, pagesPlugin];
