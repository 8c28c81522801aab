import { linkIcon } from '@jupyterlab/ui-components';
import { useEffect, useRef, type RefObject } from 'react';

import { usePageUrl } from '../../../api/context';
import { runAddress } from '../../../lib/address';
import { CopyButton, ErrorNotice, useOpenPage, useTrans } from '../../../ui';
import { canCancel, canHold, canResume } from '../format';
import { KEEP_TAG, isKept } from '../tags';
import {
  useCancelJob,
  useDeleteRun,
  useHoldJob,
  useRerunJob,
  useUpdateRun
} from '../mutations';
import type { Run } from '../types';

export interface IRunActionsProps {
  run: Run;
  /** The form "Edit and re-run" is open. */
  editing: boolean;
  onEdit: (open: boolean) => void;
}

/** What can be done with a run. Nothing here asks back: each can be undone or repeated. */
export function RunActions(props: IRunActionsProps): JSX.Element {
  const { run, editing, onEdit } = props;
  const trans = useTrans();
  const open = useOpenPage();
  const cancel = useCancelJob(run.id);
  const hold = useHoldJob(run.id);
  const rerun = useRerunJob(run.id);
  const remove = useDeleteRun(run.id);
  const error = cancel.error ?? hold.error ?? rerun.error ?? remove.error;
  const isJob = run.kind !== 'interactive';
  const edit = useFocusAfter(editing);
  const inBin = run.lifecycle === 'deleted';
  return (
    <>
      <div
        className="jp-mlws-run-actions"
        role="group"
        aria-label={trans.__('Actions')}
      >
        {canCancel(run) && (
          <button
            type="button"
            className="jp-mlws-button"
            disabled={cancel.isPending}
            onClick={() => cancel.mutate()}
          >
            {trans.__('Cancel')}
          </button>
        )}
        <HoldButton run={run} hold={hold} />
        {isJob && (
          <button
            type="button"
            className="jp-mlws-button"
            disabled={rerun.isPending}
            title={trans.__('Run the snapshot with the same parameters again')}
            onClick={() =>
              rerun.mutate(
                {},
                { onSuccess: job => open?.(runAddress(job.run.id)) }
              )
            }
          >
            {trans.__('Re-run')}
          </button>
        )}
        {isJob && (
          <button
            ref={edit}
            type="button"
            className="jp-mlws-button"
            aria-expanded={editing}
            title={trans.__('Run the same code with other settings')}
            onClick={() => onEdit(!editing)}
          >
            {trans.__('Edit and re-run…')}
          </button>
        )}
        {!inBin && (
          <button
            type="button"
            className="jp-mlws-button"
            disabled={remove.isPending}
            title={trans.__('Put this run into the bin')}
            onClick={() => remove.mutate()}
          >
            {trans.__('Delete')}
          </button>
        )}
        {!inBin && <KeepButton run={run} />}
        <CopyButtons id={run.id} />
      </div>
      {error && <ErrorNotice error={error} />}
    </>
  );
}

/** A run that is kept is spared by the clean-up of its experiment. */
function KeepButton({ run }: { run: Run }): JSX.Element {
  const trans = useTrans();
  const update = useUpdateRun(run.id);
  const kept = isKept(run.tags);
  return (
    <button
      type="button"
      className="jp-mlws-button"
      aria-pressed={kept}
      title={trans.__('The clean-up of the experiment spares kept runs')}
      onClick={() =>
        update.mutate({ tags: { [KEEP_TAG]: kept ? null : 'true' } })
      }
    >
      {kept ? trans.__('★ Kept') : trans.__('☆ Keep')}
    </button>
  );
}

function CopyButtons(props: { id: string }): JSX.Element {
  const { id } = props;
  const trans = useTrans();
  const pageUrl = usePageUrl();
  return (
    <>
      <CopyButton text={id} label={trans.__('Copy run id')} />
      <CopyButton
        icon={linkIcon}
        text={() => pageUrl(runAddress(id))}
        label={trans.__('Copy the address of this page')}
      />
    </>
  );
}

/** Puts a job that waits on hold, and lets it go on. */
function HoldButton(props: {
  run: Run;
  hold: ReturnType<typeof useHoldJob>;
}): JSX.Element | null {
  const { run, hold } = props;
  const trans = useTrans();
  const resume = canResume(run);
  if (!resume && !canHold(run)) {
    return null;
  }
  return (
    <button
      type="button"
      className="jp-mlws-button"
      disabled={hold.isPending}
      title={
        !resume
          ? trans.__('Let this job wait until it is resumed')
          : run.status === 'Paused'
            ? trans.__('Let this job wait for its turn again')
            : trans.__('Begin the next attempt without the pause')
      }
      onClick={() => hold.mutate(resume ? 'resume' : 'pause')}
    >
      {!resume
        ? trans.__('Hold')
        : run.status === 'Paused'
          ? trans.__('Resume')
          : trans.__('Try now')}
    </button>
  );
}

/** The form is gone, and the focus with it: it goes back to the button that had opened the form. */
function useFocusAfter(editing: boolean): RefObject<HTMLButtonElement> {
  const button = useRef<HTMLButtonElement>(null);
  const before = useRef(editing);
  useEffect(() => {
    if (
      before.current &&
      !editing &&
      document.activeElement === document.body
    ) {
      button.current?.focus();
    }
    before.current = editing;
  }, [editing]);
  return button;
}
