import { useState } from 'react';

import { ErrorNotice, TextField, useTrans } from '../../../ui';
import { usePurgeRun, useRestoreRun } from '../mutations';
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

function Purge(props: { run: Run; onClose: () => void }): JSX.Element {
  const { run, onClose } = props;
  const trans = useTrans();
  const purge = usePurgeRun(run.id);
  const [typed, setTyped] = useState('');
  return (
    <div className="jp-mlws-form">
      <TextField
        label={trans.__(
          'Type “%1” to delete it with its files, log and metrics',
          run.name
        )}
        value={typed}
        onChange={setTyped}
      />
      {purge.error && <ErrorNotice error={purge.error} />}
      <div className="jp-mlws-form-actions">
        <button type="button" className="jp-mlws-button" onClick={onClose}>
          {trans.__('Keep it')}
        </button>
        <button
          type="button"
          className="jp-mlws-button"
          disabled={typed !== run.name || purge.isPending}
          onClick={() => purge.mutate()}
        >
          {trans.__('Delete for ever')}
        </button>
      </div>
    </div>
  );
}
