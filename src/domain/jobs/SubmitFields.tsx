import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import { Form, useTrans } from '../../ui';
import type { Job } from '../runs';
import { jobFile } from './jobFile';
import { useSubmitJob } from './mutations';
import { JobFields } from './parts/JobFields';
import { JobFileView } from './parts/JobFileView';
import { SnapshotSummary } from './parts/SnapshotSummary';
import { Source } from './parts/Source';
import { jobQueries } from './queries';
import { buildJob, startSubmission } from './submission';
import type { NotebookInspection } from './types';
import { useJobForm } from './useJobForm';

export interface ISubmitFormProps {
  workspace: string;
  /** The notebook, below the server's root. */
  path: string;
  /** The compute target to begin with. */
  target: string;
  /** Whether a large snapshot is asked about first. */
  confirmLarge: boolean;
  /** Tags the selected cell of the open notebook with "parameters"; null where it is not open. */
  onTagCell: (() => Promise<void>) | null;
  /** Called also when the form was closed meanwhile, as `onFailed` is. */
  onSubmitted: (job: Job) => void;
  onFailed: (error: Error) => void;
  onCancel: () => void;
}

/** The fields, once the notebook has been looked at. */
export function SubmitFields(
  props: ISubmitFormProps & { inspection: NotebookInspection }
): JSX.Element {
  const { inspection, workspace, onSubmitted, onFailed, onCancel } = props;
  const trans = useTrans();
  const submit = useSubmitJob(workspace, { onSubmitted, onFailed });
  const { form, change, problems, valid, refused } = useJobForm(
    () => startSubmission(inspection, props.target),
    inspection,
    submit
  );
  const { data: targets } = useQuery(jobQueries.targets(useApi()));
  // A snapshot can have grown since the form was opened: then the server asks.
  const confirmation =
    refused === 'confirm_large'
      ? (submit.error?.message ?? null)
      : props.confirmLarge
        ? inspection.needs_confirmation
        : null;
  const busy = submit.isPending || submit.isSuccess;

  return (
    <Form
      label={trans.__('Run as experiment')}
      submitLabel={busy ? trans.__('Submitting…') : trans.__('Run')}
      busy={busy}
      valid={valid && (confirmation === null || form.confirmed)}
      error={refused ? undefined : submit.error}
      onCancel={onCancel}
      onSubmit={() => {
        const agreed = form.confirmed || !props.confirmLarge;
        submit.mutate(buildJob({ ...form, confirmed: agreed }, inspection));
      }}
    >
      <Source
        name={inspection.path}
        note={trans._n('%1 cell', '%1 cells', inspection.cells)}
        problem={problems.notebook}
      />
      <JobFields
        workspace={workspace}
        subject={inspection}
        form={form}
        problems={problems}
        disabled={busy}
        onChange={change}
        onTagCell={props.onTagCell}
      />
      <SnapshotSummary
        inspection={inspection}
        target={targets?.find(({ name }) => name === form.target)}
        confirmation={confirmation}
        confirmed={form.confirmed}
        problem={undefined}
        onConfirm={confirmed => change({ confirmed })}
      />
      <JobFileView file={jobFile(buildJob(form, inspection), workspace)} />
    </Form>
  );
}
