import type { TranslationBundle } from '@jupyterlab/translation';

import { StatusIcon, statusLabel, useTrans } from '../../ui';
import { isWaiting, type Run } from '../runs';

const LISTED = 10;

/** "1 running, 2 queued". */
export function countText(
  jobs: readonly Run[],
  trans: TranslationBundle
): string {
  const queued = jobs.filter(isWaiting).length;
  const running = jobs.length - queued;
  return [
    running > 0 && trans._n('%1 running', '%1 running', running),
    queued > 0 && trans._n('%1 queued', '%1 queued', queued)
  ]
    .filter(Boolean)
    .join(', ');
}

/** The jobs by name, one a line. */
export function listText(
  jobs: readonly Run[],
  trans: TranslationBundle
): string {
  const lines = jobs
    .slice(0, LISTED)
    .map(job =>
      [
        `${job.experiment_name} / ${job.name}`,
        job.waiting?.reason ?? statusLabel(job.status, trans)
      ].join(' · ')
    );
  if (jobs.length > LISTED) {
    lines.push(trans.__('… and %1 more', jobs.length - LISTED));
  }
  return lines.join('\n');
}

/** The jobs of the workspace in a few words, for the status bar. */
export function JobsStatus(props: {
  jobs: readonly Run[];
  onClick: () => void;
}): JSX.Element | null {
  const { jobs, onClick } = props;
  const trans = useTrans();
  if (jobs.length === 0) {
    return null;
  }
  const queuedOnly = jobs.every(isWaiting);
  const words = countText(jobs, trans);
  return (
    <button
      type="button"
      className="jp-mlws-jobs-status"
      title={`${listText(jobs, trans)}\n${trans.__('Click to show the experiments')}`}
      aria-label={trans.__('Jobs: %1. Show the experiments', words)}
      onClick={onClick}
    >
      <StatusIcon status={queuedOnly ? 'Queued' : 'Running'} />
      <span>{words}</span>
    </button>
  );
}
