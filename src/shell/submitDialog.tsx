import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy } from 'react';

import type { Job } from '../domain/runs';
import type { ISettingsValues } from '../tokens';
import { errorSentence } from '../ui/errorText';
import { tellFailure } from './notify';
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
  /** `closed`: the dialog was left before the answer came. */
  onSubmitted: (job: Job, closed: boolean) => void;
}

/** Asks how a notebook should run. */
export async function openSubmitDialog(
  options: ISubmitDialogOptions
): Promise<void> {
  const { trans, settings, onSubmitted } = options;
  let closed = false;
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
          const left = closed;
          close();
          onSubmitted(job, left);
        }}
        onFailed={error => {
          if (closed) {
            tellFailure(
              trans.__(
                '%1 was not submitted: %2',
                options.path,
                errorSentence(error, trans)
              )
            );
          }
        }}
      />
    )
  });
  closed = true;
}
