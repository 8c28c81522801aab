import type { TranslationBundle } from '@jupyterlab/translation';

import { StatusIcon, type RunStatus } from './statusIcons';
import { useTrans } from './trans';

export interface IStatusBadgeProps {
  status: RunStatus;
  /** Why it is so, shown on hover: "waits for a free slot", "cell 7: ValueError". */
  reason?: string;
  /** Only the icon is seen; the word stays for screen readers and on hover. */
  compact?: boolean;
}

/** The status as words for people. */
export function statusLabel(
  status: RunStatus,
  trans: TranslationBundle
): string {
  const labels: Record<RunStatus, string> = {
    NotStarted: trans.__('Not started'),
    Queued: trans.__('Queued'),
    Preparing: trans.__('Preparing'),
    Running: trans.__('Running'),
    Finalizing: trans.__('Finalizing'),
    CancelRequested: trans.__('Canceling'),
    Completed: trans.__('Completed'),
    Failed: trans.__('Failed'),
    Canceled: trans.__('Canceled'),
    NotResponding: trans.__('Not responding'),
    Paused: trans.__('Paused')
  };
  return labels[status];
}

/** A run's status: an icon and a word, never a colour alone. */
export function StatusBadge(props: IStatusBadgeProps): JSX.Element {
  const { status, reason, compact } = props;
  const trans = useTrans();
  const label = statusLabel(status, trans);
  const title = reason ? trans.__('%1: %2', label, reason) : label;
  return (
    <span className="jp-mlws-status" data-status={status} title={title}>
      <StatusIcon status={status} />
      <span className={compact ? 'jp-mlws-sr-only' : 'jp-mlws-status-word'}>
        {label}
      </span>
    </span>
  );
}
