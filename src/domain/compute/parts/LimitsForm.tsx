import { useState } from 'react';

import { Form, TextField, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import {
  changedLimits,
  limitProblems,
  startLimits,
  type Limit
} from '../limits';
import { useUpdateTarget } from '../mutations';
import type { ComputeTarget } from '../types';

/** What jobs may have of a target, all together and of one user. */
export function LimitsForm(props: {
  target: ComputeTarget;
  onClose: () => void;
}): JSX.Element {
  const { target, onClose } = props;
  const trans = useTrans();
  const update = useUpdateTarget(target.name);
  const [before] = useState(() => startLimits(target));
  const [texts, setTexts] = useState(before);
  const problems = limitProblems(texts, trans);
  const changes = changedLimits(texts, before);
  const field = (limit: Limit, label: string, none?: string): JSX.Element => (
    <TextField
      label={label}
      placeholder={none}
      value={texts[limit]}
      error={problems[limit]}
      disabled={update.isPending}
      onChange={text => setTexts({ ...texts, [limit]: text })}
    />
  );
  const settings = trans.__('as the settings say');
  const none = trans.__('no limit');
  return (
    <Form
      label={trans.__('Limits of %1', target.name)}
      submitLabel={trans.__('Save')}
      busy={update.isPending}
      valid={
        Object.keys(problems).length === 0 && Object.keys(changes).length > 0
      }
      error={update.error}
      onSubmit={() => update.mutate(changes, { onSuccess: onClose })}
      onCancel={onClose}
    >
      <fieldset className="jp-mlws-limits">
        <legend>{trans.__('All jobs together')}</legend>
        {field('max_jobs', trans.__('Jobs at once'), settings)}
        {target.ssh === null &&
          batchOf(target) === null &&
          target.gateway === null &&
          field('min_instances', trans.__('Ready kernels'), settings)}
        {field('cpus', trans.__('CPUs'), settings)}
        {field('memory_bytes', trans.__('Memory'), settings)}
        {field('gpus', trans.__('GPUs'), settings)}
      </fieldset>
      <fieldset className="jp-mlws-limits">
        <legend>{trans.__('Jobs of one user')}</legend>
        {field('max_jobs_per_user', trans.__('Jobs at once'), none)}
        {field('cpus_per_user', trans.__('CPUs'), none)}
        {field('memory_bytes_per_user', trans.__('Memory'), none)}
        {field('gpus_per_user', trans.__('GPUs'), none)}
      </fieldset>
    </Form>
  );
}
