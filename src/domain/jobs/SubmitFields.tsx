import { useEffect, useState, type ReactNode } from 'react';

import { Form, useTrans } from '../../ui';
import type { Job } from '../runs';
import { jobFile } from './jobFile';
import { useSubmitJob } from './mutations';
import { AdvancedFields } from './parts/AdvancedFields';
import { JobFileView } from './parts/JobFileView';
import { MainFields } from './parts/MainFields';
import { ParameterList } from './parts/ParameterList';
import { SnapshotSummary } from './parts/SnapshotSummary';
import {
  ADVANCED,
  buildJob,
  findProblems,
  placeOf,
  startSubmission,
  type ISubmission,
  type Problems
} from './submission';
import type { NotebookInspection } from './types';

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
  const [form, setForm] = useState(() =>
    startSubmission(inspection, props.target)
  );
  const refused = submit.error ? placeOf(submit.error, inspection) : null;
  // A snapshot can have grown since the form was opened: then the server asks.
  const confirmation =
    refused === 'confirm_large'
      ? (submit.error?.message ?? null)
      : props.confirmLarge
        ? inspection.needs_confirmation
        : null;
  const own = findProblems(form, inspection, trans);
  const problems: Problems = {
    ...(refused &&
      refused !== 'confirm_large' && { [refused]: submit.error?.message }),
    ...own
  };
  const busy = submit.isPending || submit.isSuccess;
  const change = (part: Partial<ISubmission>): void => {
    setForm(before => ({ ...before, ...part }));
    // The server's objection was to what stood there before; to the question it stays.
    if (submit.error && refused !== 'confirm_large') {
      submit.reset();
    }
  };
  const fields = { form, problems, disabled: busy, onChange: change };

  return (
    <Form
      label={trans.__('Run as experiment')}
      submitLabel={busy ? trans.__('Submitting…') : trans.__('Run')}
      busy={busy}
      valid={
        Object.keys(own).length === 0 &&
        (confirmation === null || form.confirmed)
      }
      error={refused ? undefined : submit.error}
      onCancel={onCancel}
      onSubmit={() => {
        const agreed = form.confirmed || !props.confirmLarge;
        submit.mutate(buildJob({ ...form, confirmed: agreed }, inspection));
      }}
    >
      <Source inspection={inspection} problem={problems.notebook} />
      <MainFields {...fields} workspace={workspace} inspection={inspection} />
      <ParameterList
        inspection={inspection}
        drafts={form.drafts}
        problems={problems}
        disabled={busy}
        onChange={drafts => change({ drafts })}
        onTagCell={props.onTagCell}
      />
      <MoreOptions wrong={ADVANCED.some(field => problems[field])}>
        <AdvancedFields {...fields} />
      </MoreOptions>
      <SnapshotSummary
        inspection={inspection}
        confirmation={confirmation}
        confirmed={form.confirmed}
        problem={undefined}
        onConfirm={confirmed => change({ confirmed })}
      />
      <JobFileView file={jobFile(buildJob(form, inspection), workspace)} />
    </Form>
  );
}

function Source(props: {
  inspection: NotebookInspection;
  problem: string | undefined;
}): JSX.Element {
  const { path, cells } = props.inspection;
  const trans = useTrans();
  return (
    <div className="jp-mlws-submit-source">
      <span className="jp-mlws-ellipsis" title={path}>
        {path}
      </span>
      <span>{trans._n('%1 cell', '%1 cells', cells)}</span>
      {props.problem && (
        <span className="jp-mlws-field-error" role="alert">
          {props.problem}
        </span>
      )}
    </div>
  );
}

/** Opens by itself where something in it is wrong, and closes by a press alone: never under who types in it. */
function MoreOptions(props: {
  wrong: boolean;
  children: ReactNode;
}): JSX.Element {
  const { wrong, children } = props;
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (wrong) {
      setOpen(true);
    }
  }, [wrong]);
  return (
    <details
      className="jp-mlws-more-options"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('More options')}</summary>
      {children}
    </details>
  );
}
