import { useEffect, useRef, useState } from 'react';

import { CheckboxField, Form, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import { useDeleteTarget } from '../mutations';
import type { ComputeTarget } from '../types';

/** Asks before a target goes, and says what becomes of the jobs that run there or wait for it. */
export function DeleteTarget(props: {
  target: ComputeTarget;
  onDeleted: () => void;
  onCancel: () => void;
}): JSX.Element {
  const { target, onDeleted, onCancel } = props;
  const { name, running, queued, ssh } = target;
  const batch = batchOf(target);
  const trans = useTrans();
  const [force, setForce] = useState(false);
  const remove = useDeleteTarget(name);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Within the form, Escape leaves it; of its buttons the harmless one comes first.
    frame.current?.querySelector<HTMLElement>('input, button')?.focus();
  }, []);
  return (
    <div ref={frame}>
      <Form
        label={trans.__('Delete the compute target %1', name)}
        danger
        submitLabel={trans.__('Delete')}
        valid={running === 0 || force}
        busy={remove.isPending}
        error={remove.error}
        onCancel={onCancel}
        onSubmit={() => remove.mutate({ force }, { onSuccess: onDeleted })}
      >
        <p className="jp-mlws-confirm-text">
          {!ssh
            ? trans.__(
                'Jobs can no longer be sent to %1. Its past jobs stay as they are.',
                name
              )
            : trans.__(
                'Jobs can no longer be sent to %1. Its past jobs stay as they are, and so does what lies on the host.',
                name
              )}
          {queued > 0 &&
            ` ${trans._n(
              '%1 job waits for it, and goes on waiting until there is a target of this name again.',
              '%1 jobs wait for it, and go on waiting until there is a target of this name again.',
              queued
            )}`}
        </p>
        {running > 0 && (
          <CheckboxField
            label={trans._n(
              'Give up the job that runs there',
              'Give up the %1 jobs that run there',
              running
            )}
            help={
              batch
                ? trans.__(
                    '%1 is told to end them, and they end as lost. To keep what they make, cancel them or wait for their end.',
                    batch.name
                  )
                : trans.__(
                    'They end as lost, and nobody looks after their processes any more. To keep what they make, cancel them or wait for their end.'
                  )
            }
            value={force}
            onChange={setForce}
          />
        )}
      </Form>
    </div>
  );
}
