import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy } from 'react';

import type { Job } from '../domain/runs';
import type { ISettingsValues } from '../tokens';
import type { IProvidersProps } from './Providers';
import { openReactDialog } from './reactDialog';

/** Loaded when the first notebook is submitted. */
const SubmitForm = lazy(async () => {
  const { SubmitForm } = await import('../domain/jobs');
  return { default: SubmitForm };
});

export interface ISubmitDialogOptions extends IProvidersProps {
  trans: TranslationBundle;
  workspace: string;
  path: string;
  settings: ISettingsValues;
  onTagCell: (() => Promise<void>) | null;
  onSubmitted: (job: Job) => void;
}

/** Asks how a notebook should run. */
export async function openSubmitDialog(
  options: ISubmitDialogOptions
): Promise<void> {
  const { trans, settings, onSubmitted } = options;
  await openReactDialog({
    connection: options.connection,
    translator: options.translator,
    title: trans.__('Run as experiment'),
    body: close => (
      <SubmitForm
        workspace={options.workspace}
        path={options.path}
        target={settings.defaultTarget}
        confirmLarge={settings.confirmLargeSnapshots}
        onTagCell={options.onTagCell}
        onCancel={close}
        onSubmitted={job => {
          close();
          onSubmitted(job);
        }}
      />
    )
  });
}
