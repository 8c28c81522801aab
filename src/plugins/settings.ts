import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Observable } from '../lib/observable';
import { IMlwsSettings, type ISettingsValues } from '../tokens';

const PLUGIN_ID = 'jupyter-mlws:settings';

/** As in schema/settings.json, for Labs without a settings registry. */
const DEFAULTS: ISettingsValues = {
  notifyWhenJobsEnd: true,
  defaultTarget: 'local',
  confirmLargeSnapshots: true,
  sidebarRuns: 5
};

/** Reads the settings and follows their changes. */
export const settingsPlugin: JupyterFrontEndPlugin<IMlwsSettings> = {
  id: PLUGIN_ID,
  description: 'The settings of the ML workspace.',
  autoStart: true,
  optional: [ISettingRegistry],
  provides: IMlwsSettings,
  activate: (
    _app: JupyterFrontEnd,
    registry: ISettingRegistry | null
  ): IMlwsSettings => {
    const values = new Observable(DEFAULTS);
    const read = (settings: ISettingRegistry.ISettings): void =>
      values.set({
        ...DEFAULTS,
        ...(settings.composite as Partial<ISettingsValues>)
      });
    registry
      ?.load(PLUGIN_ID)
      .then(settings => {
        read(settings);
        settings.changed.connect(read);
      })
      .catch((error: unknown) =>
        console.error('The settings of ML Workspace could not be read', error)
      );
    return values;
  }
};
