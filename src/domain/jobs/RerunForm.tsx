import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';

import { useApi } from '../../api/context';
import { runAddress } from '../../lib/address';
import { ErrorNotice, Form, Skeleton, useOpenPage, useTrans } from '../../ui';
import {
  runQueries,
  useRerunJob,
  type IRerunFormProps,
  type Job
} from '../runs';
import { JobFields } from './parts/JobFields';
import { Source } from './parts/Source';
import { jobQueries } from './queries';
import { buildRerun, rerunSubject, startRerun } from './rerun';
import type { ISubject } from './types';
import { useJobForm } from './useJobForm';

/** "Edit and re-run": the same code with other settings. It stands in the page of the run, not over it. */
export function RerunForm({ run, onClose }: IRerunFormProps): JSX.Element {
  const api = useApi();
  const trans = useTrans();
  const job = useQuery(runQueries.job(api, run.id));
  const declared = useQuery({
    ...runQueries.parameters(api, run.id),
    enabled: run.kind === 'notebook'
  });
  const kernels = useQuery(jobQueries.kernels(api));
  const subject = useMemo(
    () =>
      job.data &&
      rerunSubject(
        job.data,
        // Types and comments help, but the form does without them.
        declared.data ?? null,
        kernels.data?.map(({ name }) => name)
      ),
    [job.data, declared.data, kernels.data]
  );
  if (job.error && !job.data) {
    return (
      <ErrorNotice
        title={trans.__('The job could not be read.')}
        error={job.error}
        onRetry={() => void job.refetch()}
      />
    );
  }
  // Asked for again, even in vain, they do not take away what was typed.
  const ready = declared.isFetched || run.kind !== 'notebook';
  return (
    <div className="jp-mlws-rerun">
      {job.data && subject && ready ? (
        <RerunFields job={job.data} subject={subject} onClose={onClose} />
      ) : (
        <Skeleton count={8} />
      )}
    </div>
  );
}

function RerunFields(props: {
  job: Job;
  subject: ISubject;
  onClose: () => void;
}): JSX.Element {
  const { job, subject, onClose } = props;
  const trans = useTrans();
  const open = useOpenPage();
  const rerun = useRerunJob(job.run.id, next => {
    onClose();
    open?.(runAddress(next.run.id));
  });
  const { form, change, problems, valid, refused } = useJobForm(
    () => startRerun(job),
    subject,
    rerun
  );
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { activeElement } = document;
    // Who has gone on to another field meanwhile stays there.
    if (!activeElement?.matches('input, textarea, select, [contenteditable]')) {
      fields.current?.querySelector<HTMLElement>('input, textarea')?.focus();
    }
  }, []);
  const busy = rerun.isPending;
  return (
    <div ref={fields}>
      <Form
        label={trans.__('Edit and re-run')}
        submitLabel={busy ? trans.__('Submitting…') : trans.__('Run')}
        busy={busy}
        valid={valid}
        error={refused ? undefined : rerun.error}
        // Its outcome is told here.
        onCancel={() => !busy && onClose()}
        onSubmit={() => rerun.mutate(buildRerun(form, job, subject.parameters))}
      >
        <SnapshotSource job={job} problem={problems.notebook} />
        <JobFields
          workspace={job.run.workspace}
          subject={subject}
          form={form}
          problems={problems}
          disabled={busy}
          onChange={change}
          onTagCell={null}
        />
      </Form>
    </div>
  );
}

/** The code is the one that the job had, and not what the files say by now. */
function SnapshotSource(props: {
  job: Job;
  problem: string | undefined;
}): JSX.Element {
  const { spec, in_place: inPlace, run } = props.job;
  const trans = useTrans();
  const name =
    spec.kind === 'notebook'
      ? spec.notebook
      : spec.kind === 'extension'
        ? spec.extension
        : (spec.code ?? '');
  return (
    <Source
      name={name}
      note={
        inPlace
          ? trans.__('Runs in its own folder, with the files as they are now.')
          : run.snapshot_id
            ? trans.__('Runs the snapshot of this run: the same code.')
            : trans.__('Runs in an empty folder, as this run did.')
      }
      problem={props.problem}
    />
  );
}
