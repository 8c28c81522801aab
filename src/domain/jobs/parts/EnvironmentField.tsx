import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { buildLabel, environmentQueries, waitText } from '../../environments';
import { SelectField, useTrans } from '../../../ui';
import { jobQueries } from '../queries';
import { kindOfJob } from '../submission';
import { takesEnvironments } from '../target';
import type { IFieldsProps } from './AdvancedFields';

/** None, or an environment of the workspace. */
export function EnvironmentField(props: IFieldsProps): JSX.Element {
  const { workspace, form, problems, disabled, onChange, subject } = props;
  const trans = useTrans();
  const api = useApi();
  const { data: known, error } = useQuery(
    environmentQueries.list(api, workspace)
  );
  const { data: targets } = useQuery(jobQueries.targets(api));
  const target = targets?.find(({ name }) => name === form.target);
  const taken = takesEnvironments(target);
  const notebook = kindOfJob(subject) === 'notebook';
  const before = subject.job?.environment ?? null;
  const options = [
    {
      value: '',
      label: notebook
        ? trans.__('none · the notebook’s kernel')
        : trans.__('none · the server’s own Python'),
      disabled: false
    },
    ...(before !== null
      ? [
          {
            value: before,
            label: trans.__('%1 · as before', before),
            disabled: false
          }
        ]
      : []),
    ...(known ?? []).map(one => ({
      value: one.name,
      label: trans.__(
        '%1 · version %2 · %3',
        one.name,
        one.latest.version,
        buildLabel(one.latest.build.status, trans)
      ),
      // Kernels are for notebooks.
      disabled: !notebook && one.latest.definition.kind === 'kernel'
    }))
  ];
  const chosen = known?.find(({ name }) => name === form.environment);
  return (
    <SelectField
      label={trans.__('Environment')}
      value={form.environment}
      options={options}
      help={
        !taken
          ? trans.__(
              'Jobs on %1 find what is installed there: environments are built on the server’s machine.',
              form.target
            )
          : error && !known
            ? trans.__('The environments could not be loaded.')
            : chosen && waitText(chosen.latest.build, trans)
      }
      error={problems.environment}
      disabled={disabled || !taken}
      onChange={environment => onChange({ environment })}
    />
  );
}
