import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../../api/context';
import { formatBytes } from '../../../lib/format';
import { ConfirmDeletion, ErrorNotice, Skeleton, useTrans } from '../../../ui';
import { usePurgeRun, useRestoreRun } from '../mutations';
import { runQueries } from '../queries';
import type { Run } from '../types';

/** A deleted run: back with one press; away for ever only after its name is typed. */
export function BinNotice(props: { run: Run }): JSX.Element | null {
  const { run } = props;
  const trans = useTrans();
  const restore = useRestoreRun(run.id);
  const [purging, setPurging] = useState(false);
  if (run.lifecycle !== 'deleted') {
    return null;
  }
  return (
    <div className="jp-mlws-notice" role="status">
      <span>{trans.__('This run is in the bin.')}</span>
      <button
        type="button"
        className="jp-mlws-button"
        disabled={restore.isPending}
        onClick={() => restore.mutate()}
      >
        {trans.__('Undo')}
      </button>
      {!purging && (
        <button
          type="button"
          className="jp-mlws-link"
          onClick={() => setPurging(true)}
        >
          {trans.__('Delete for ever…')}
        </button>
      )}
      {restore.error && <ErrorNotice error={restore.error} />}
      {purging && <Purge run={run} onClose={() => setPurging(false)} />}
    </div>
  );
}

/** What would be free, asked of the server; then the name. */
function Purge(props: { run: Run; onClose: () => void }): JSX.Element {
  const { run, onClose } = props;
  const trans = useTrans();
  const plan = useQuery(runQueries.purge(useApi(), run.id));
  const purge = usePurgeRun(run.id);
  if (plan.error) {
    return (
      <ErrorNotice error={plan.error} onRetry={() => void plan.refetch()} />
    );
  }
  return plan.data === undefined ? (
    <Skeleton count={2} />
  ) : (
    <ConfirmDeletion
      name={run.name}
      text={trans.__(
        'The run goes with its metrics, logs and files. %1 become free. Nothing brings it back.',
        formatBytes(plan.data)
      )}
      onConfirm={() => purge.mutateAsync()}
      onDone={onClose}
    />
  );
}
