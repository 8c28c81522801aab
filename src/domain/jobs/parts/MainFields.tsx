import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useId } from 'react';

import { useApi } from '../../../api/context';
import { experimentQueries } from '../../experiments';
import { Field, SelectField, TextField, useTrans } from '../../../ui';
import { jobQueries } from '../queries';
import { kindOfJob } from '../submission';
import {
  takesEnvironments,
  refusesKind,
  targetLabel,
  targetStart,
  targetWait
} from '../target';
import type { IFieldsProps } from './AdvancedFields';
import { EnvironmentField } from './EnvironmentField';
import { KernelField } from './KernelField';

/** Experiment, name, kernel and target. */
export function MainFields(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange, subject } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-submit-grid">
      <ExperimentField {...props} />
      <TextField
        label={trans.__('Run name')}
        placeholder={
          subject.job
            ? trans.__('made by itself')
            : trans.__('made from the notebook’s name')
        }
        value={form.name}
        error={problems.name}
        disabled={disabled}
        onChange={name => onChange({ name })}
      />
      {kindOfJob(subject) === 'notebook' && <KernelField {...props} />}
      <TargetField {...props} />
      {kindOfJob(subject) !== 'extension' && <EnvironmentField {...props} />}
    </div>
  );
}

/** A name of one that is there, or of a new one. */
function ExperimentField(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange, workspace, subject } = props;
  const trans = useTrans();
  const list = useId();
  const name = form.experiment.trim();
  const { names, isNew } = useKnownNames(workspace, name);
  return (
    <Field
      label={trans.__('Experiment')}
      help={isNew ? trans.__('New: it is made with this run.') : undefined}
      error={problems.experiment}
      disabled={disabled}
    >
      {attributes => (
        <>
          <input
            {...attributes}
            type="text"
            className="jp-mlws-input"
            list={list}
            autoComplete="off"
            placeholder={subject.job?.run.experiment_name}
            value={form.experiment}
            onChange={event => onChange({ experiment: event.target.value })}
          />
          <datalist id={list}>
            {names.map(known => (
              <option key={known} value={known} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** The names that are offered, and whether this one is new: of too many names to list, the server is asked. */
function useKnownNames(
  workspace: string,
  name: string
): { names: readonly string[]; isNew: boolean } {
  const api = useApi();
  const { data: known } = useQuery(experimentQueries.names(api, workspace));
  const settled = useDeferredValue(name);
  const unlisted =
    known !== undefined && settled !== '' && !known.names.includes(settled);
  const { data: exists } = useQuery({
    ...experimentQueries.named(api, workspace, settled),
    enabled: unlisted && known.more
  });
  return {
    names: known?.names ?? [],
    isNew: unlisted && settled === name && (!known.more || exists === false)
  };
}

function TargetField(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange } = props;
  const trans = useTrans();
  const { data: targets } = useQuery(jobQueries.targets(useApi()));
  const chosen = targets?.find(({ name }) => name === form.target);
  const options = (targets ?? []).map(target => ({
    value: target.name,
    label: targetLabel(target, kindOfJob(props.subject), trans),
    disabled: refusesKind(target, kindOfJob(props.subject))
  }));
  if (!chosen) {
    options.unshift({
      value: form.target,
      label: form.target,
      disabled: false
    });
  }
  return (
    <SelectField
      label={trans.__('Compute target')}
      value={form.target}
      options={options}
      help={
        chosen &&
        (targetWait(chosen, form.priority ?? 0, trans) ||
          targetStart(chosen, trans))
      }
      error={problems.target}
      disabled={disabled}
      onChange={target =>
        onChange({
          target,
          // What the target refuses is not asked of it.
          ...(!takesEnvironments(
            targets?.find(({ name }) => name === target)
          ) && { environment: '' })
        })
      }
    />
  );
}
