import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { useApi } from '../../../api/context';
import { CheckboxField, Form, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import { deletionText } from '../format';
import { useDeleteTarget } from '../mutations';
import { computeQueries } from '../queries';
import type { ComputeTarget } from '../types';

/** Asks before a target goes, and says what becomes of the jobs that run there or wait for it. */
export function DeleteTarget(props: {
  target: ComputeTarget;
  onDeleted: () => void;
  onCancel: () => void;
}): JSX.Element {
  const { target, onDeleted, onCancel } = props;
  const { name, running } = target;
  const batch = batchOf(target);
  const trans = useTrans();
  const [force, setForce] = useState(false);
  const remove = useDeleteTarget(name);
  const { data: targets } = useQuery(computeQueries.targets(useApi()));
  const others = (targets ?? [])
    .filter(other => batchOf(other)?.place.via === name)
    .map(other => other.name);
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
        valid={(running === 0 || force) && others.length === 0}
        busy={remove.isPending}
        error={remove.error}
        onCancel={onCancel}
        onSubmit={() => remove.mutate({ force }, { onSuccess: onDeleted })}
      >
        {others.length === 0 ? (
          <p className="jp-mlws-confirm-text">
            {deletionText(target, trans).join(' ')}
          </p>
        ) : (
          <p className="jp-mlws-target-note jp-mlws-target-bad" role="status">
            {trans.__(
              'By way of %1 jobs are submitted to %2. Delete that first, or choose there under Edit… from where it submits.',
              name,
              others.join(', ')
            )}
          </p>
        )}
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
