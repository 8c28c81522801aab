import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { SelectField, useTrans } from '../../../ui';
import { computeQueries } from '../queries';
import type { IControlProps } from '../useTargetForm';

/** From where jobs are submitted: this server's machine, or the host of a target of the kind ssh. */
export function SshTargetField(props: IControlProps): JSX.Element {
  const { form, field } = props;
  const { name, label } = field;
  const trans = useTrans();
  const value = form.texts[name] ?? '';
  const { data: targets } = useQuery(computeQueries.targets(useApi()));
  const options = (targets ?? []).flatMap(({ name: way, ssh, made }) =>
    ssh && made
      ? [{ value: way, label: trans.__('%1 (%2)', way, ssh.host) }]
      : []
  );
  const none = targets !== undefined && options.length === 0;
  if (value && !options.some(option => option.value === value)) {
    options.unshift({ value, label: value });
  }
  return (
    <SelectField
      label={label}
      help={
        form.target
          ? trans.__('Can be changed while no job lives on the target.')
          : none
            ? trans.__(
                'Where sbatch or qsub is. To submit from a login node make that a target first: an SSH host.'
              )
            : trans.__(
                'Where sbatch or qsub is: here, or on the host of a target, whose folder the nodes see.'
              )
      }
      error={form.problems[name]}
      disabled={form.busy}
      value={value}
      options={[
        { value: '', label: trans.__('This server’s machine') },
        ...options
      ]}
      onChange={way => form.set({ [name]: way })}
    />
  );
}
