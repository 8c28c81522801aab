import { closeIcon, runIcon } from '@jupyterlab/ui-components';
import { useState, type KeyboardEvent } from 'react';

import { ErrorNotice, IconButton, pauseIcon, useTrans } from '../../../ui';
import { Countdown, RunLink, useCancelJob, useHoldJob } from '../../runs';
import { asksText } from '../format';
import { useSetPriority } from '../mutations';
import type { QueuedJob } from '../types';

/** A job that waits: its place, why, and what can be done about it. */
export function QueueRow(props: {
  job: QueuedJob;
  answeredAt: number;
}): JSX.Element {
  const { job, answeredAt } = props;
  const trans = useTrans();
  const cancel = useCancelJob(job.run_id);
  const hold = useHoldJob(job.run_id);
  const held = job.position === null;
  const error = cancel.error ?? hold.error;
  const asks = asksText(job.asks, trans);
  return (
    <li className="jp-mlws-queue-row">
      <div className="jp-mlws-queue-line">
        <span className="jp-mlws-queue-place">{job.position ?? '–'}</span>
        <RunLink run={{ id: job.run_id, name: job.name }} />
        <PriorityInput job={job} />
        <IconButton
          icon={held || job.code === 'backoff' ? runIcon : pauseIcon}
          label={
            held
              ? trans.__('Resume %1', job.name)
              : job.code === 'backoff'
                ? trans.__('Try %1 again now', job.name)
                : trans.__('Put %1 on hold', job.name)
          }
          disabled={hold.isPending}
          onClick={() =>
            hold.mutate(held || job.code === 'backoff' ? 'resume' : 'pause')
          }
        />
        <IconButton
          icon={closeIcon}
          label={trans.__('Cancel %1', job.name)}
          disabled={cancel.isPending}
          onClick={() => cancel.mutate()}
        />
      </div>
      <div className="jp-mlws-muted jp-mlws-queue-why">
        {job.reason} <Countdown until={job.until} answeredAt={answeredAt} />
      </div>
      <div className="jp-mlws-muted jp-mlws-queue-why">
        {[job.user, asks].filter(Boolean).join(' · ')}
      </div>
      {error && <ErrorNotice error={error} />}
    </li>
  );
}

/** The priority of a job, to change where it stands: Enter, or leaving the field, sends it; Escape takes it back. */
function PriorityInput(props: { job: QueuedJob }): JSX.Element {
  const { job } = props;
  const trans = useTrans();
  const change = useSetPriority(job.run_id);
  const [draft, setDraft] = useState<string | null>(null);
  const value = Number(draft);
  const wrong =
    draft !== null &&
    (!draft.trim() || !Number.isInteger(value) || Math.abs(value) > 100);
  const send = (): void => {
    if (draft !== null && !wrong && value !== job.priority) {
      change.mutate(value, { onSettled: () => setDraft(null) });
    } else if (!wrong) {
      setDraft(null);
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Enter') {
      send();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      setDraft(null);
    }
  };
  const words = change.error
    ? change.error.message
    : trans.__(
        'Priority of %1, from −100 to 100: greater ones leave the queue first',
        job.name
      );
  return (
    <input
      type="text"
      inputMode="numeric"
      className="jp-mlws-input jp-mlws-queue-priority"
      aria-label={words}
      title={words}
      aria-invalid={wrong || change.error !== null || undefined}
      disabled={change.isPending}
      value={draft ?? job.priority}
      onChange={event => setDraft(event.target.value)}
      onBlur={send}
      onKeyDown={onKeyDown}
    />
  );
}
