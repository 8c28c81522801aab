import { closeIcon } from '@jupyterlab/ui-components';

import { formatDuration } from '../../../lib/format';
import {
  ErrorNotice,
  IconButton,
  StatusIcon,
  statusLabel,
  useTrans,
  type RunStatus
} from '../../../ui';
import { RunLink, useCancelJob, useLiveNow } from '../../runs';
import { asksText } from '../format';
import type { LiveJob } from '../types';

/** A job that runs. */
export function LiveRow(props: {
  job: LiveJob;
  answeredAt: number;
}): JSX.Element {
  const { job, answeredAt } = props;
  const trans = useTrans();
  const cancel = useCancelJob(job.run_id);
  const status = job.status as RunStatus;
  const now = useLiveNow(job.started_at !== null, answeredAt);
  const asks = asksText(job.asks, trans);
  return (
    <li className="jp-mlws-queue-row">
      <div className="jp-mlws-queue-line">
        <span title={statusLabel(status, trans)}>
          <StatusIcon status={status} />
        </span>
        <RunLink run={{ id: job.run_id, name: job.name }} />
        <span className="jp-mlws-muted jp-mlws-queue-time">
          {job.started_at === null
            ? statusLabel(status, trans)
            : formatDuration(Math.max(0, now - job.started_at))}
        </span>
        <IconButton
          icon={closeIcon}
          label={trans.__('Cancel %1', job.name)}
          disabled={cancel.isPending || job.status === 'CancelRequested'}
          onClick={() => cancel.mutate()}
        />
      </div>
      <div className="jp-mlws-muted jp-mlws-queue-why">
        {[job.user, asks, job.reason].filter(Boolean).join(' · ')}
      </div>
      {cancel.error && <ErrorNotice error={cancel.error} />}
    </li>
  );
}
