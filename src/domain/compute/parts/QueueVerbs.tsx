import type { RefObject } from 'react';

import { ErrorNotice, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import { useUpdateTarget } from '../mutations';
import type { ComputeTarget } from '../types';

/** Pauses and resumes the queue of a target, and opens the form of its limits. */
export function QueueVerbs(props: {
  target: ComputeTarget;
  editing: boolean;
  /** The button that opens the form. */
  editRef: RefObject<HTMLButtonElement>;
  onEdit: () => void;
}): JSX.Element {
  const { target, editing, editRef, onEdit } = props;
  const trans = useTrans();
  const update = useUpdateTarget(target.name);
  const batch = batchOf(target);
  return (
    <>
      {target.paused && (
        <p className="jp-mlws-target-note" role="status">
          {batch
            ? trans.__(
                'The queue is paused: no job goes to %1. Those that it has start and go on.',
                batch.name
              )
            : trans.__(
                'The queue is paused: no job starts. Those that run go on.'
              )}
        </p>
      )}
      <div className="jp-mlws-target-verbs">
        <button
          type="button"
          className={`jp-mlws-button jp-mlws-button-small${target.paused ? ' jp-mlws-button-primary' : ''}`}
          disabled={update.isPending}
          onClick={() => update.mutate({ paused: !target.paused })}
        >
          {target.paused
            ? trans.__('Resume the queue')
            : trans.__('Pause the queue')}
        </button>
        <button
          ref={editRef}
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          aria-expanded={editing}
          onClick={onEdit}
        >
          {trans.__('Limits…')}
        </button>
      </div>
      {update.error && <ErrorNotice error={update.error} />}
    </>
  );
}
