import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { secretQueries } from '../../secrets';
import { CheckboxField, NumberField, TextField, useTrans } from '../../../ui';
import { kindOfJob, type ISubmission, type Problems } from '../submission';
import type { ISubject } from '../types';

export interface IFieldsProps {
  workspace: string;
  subject: ISubject;
  form: ISubmission;
  problems: Problems;
  disabled: boolean;
  onChange: (change: Partial<ISubmission>) => void;
}

/** What most runs leave as it is. */
export function AdvancedFields(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange, subject } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-submit-grid">
      <TextField
        label={trans.__('Time limit')}
        placeholder={trans.__('none')}
        help={trans.__('The run is ended after it: 90s, 45m, 2h.')}
        value={form.timeout}
        error={problems.timeout_s}
        disabled={disabled}
        onChange={timeout => onChange({ timeout })}
      />
      <TextField
        label={trans.__('Memory limit')}
        placeholder={trans.__('none')}
        help={trans.__('The run is ended when it holds more: 512MB, 4GiB.')}
        value={form.memoryLimit}
        error={problems.memory_limit}
        disabled={disabled}
        onChange={memoryLimit => onChange({ memoryLimit })}
      />
      <NumberField
        label={trans.__('Priority')}
        integer
        help={trans.__('Greater ones leave the queue first.')}
        value={form.priority}
        error={problems.priority}
        disabled={disabled}
        onChange={priority => onChange({ priority })}
      />
      <ResourceFields {...props} />
      <TextField
        label={trans.__('Environment variables')}
        rows={2}
        placeholder={trans.__('NAME=value')}
        help={
          subject.job?.env_names.length
            ? trans.__('One a line. A name alone keeps the value that it has.')
            : trans.__(
                'One a line; stored with the run. Passwords are secrets.'
              )
        }
        value={form.env}
        error={problems.env}
        disabled={disabled}
        onChange={env => onChange({ env })}
      />
      <SecretsField {...props} />
      <TextField
        label={trans.__('Tags')}
        rows={2}
        placeholder={trans.__('name=value')}
        help={trans.__('One a line.')}
        value={form.tags}
        error={problems.tags}
        disabled={disabled}
        onChange={tags => onChange({ tags })}
      />
      <div className="jp-mlws-submit-wide">
        <TextField
          label={trans.__('Note')}
          rows={2}
          placeholder={trans.__('Why this run? Markdown')}
          value={form.note}
          error={problems.note}
          disabled={disabled}
          onChange={note => onChange({ note })}
        />
      </div>
      <Choices {...props} />
    </div>
  );
}

/** What is on or off. */
function Choices(props: IFieldsProps): JSX.Element {
  const { form, disabled, onChange, subject } = props;
  const trans = useTrans();
  return (
    <>
      {kindOfJob(subject) === 'notebook' && (
        <div className="jp-mlws-submit-wide">
          <CheckboxField
            label={trans.__('Keep the kernel if a cell fails')}
            help={trans.__(
              'For a time: a console then shows what is in its variables.'
            )}
            value={form.keepKernel}
            disabled={disabled}
            onChange={keepKernel => onChange({ keepKernel })}
          />
        </div>
      )}
      {!subject.job && (
        <div className="jp-mlws-submit-wide">
          <CheckboxField
            label={trans.__('Run in the notebook’s own folder')}
            help={trans.__(
              'Instead of a working copy: for notebooks that write beside themselves.'
            )}
            value={form.inPlace}
            disabled={disabled}
            onChange={inPlace => onChange({ inPlace })}
          />
        </div>
      )}
    </>
  );
}

/** How often it is tried, and what it asks of its target: it waits until so much is free. */
function ResourceFields(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange } = props;
  const trans = useTrans();
  return (
    <>
      <NumberField
        label={trans.__('Retries')}
        integer
        help={trans.__('So often it is tried again if it fails.')}
        value={form.retries}
        error={problems.max_retries}
        disabled={disabled}
        onChange={retries => onChange({ retries })}
      />
      <NumberField
        label={trans.__('CPUs')}
        help={trans.__('It starts once so many are free; empty: at once.')}
        value={form.cpus}
        error={problems['resources.cpus']}
        disabled={disabled}
        onChange={cpus => onChange({ cpus })}
      />
      <TextField
        label={trans.__('Memory')}
        placeholder={trans.__('4GiB')}
        help={trans.__('It starts once so much is free.')}
        value={form.memory}
        error={problems['resources.memory_bytes']}
        disabled={disabled}
        onChange={memory => onChange({ memory })}
      />
      <NumberField
        label={trans.__('GPUs')}
        integer
        help={trans.__('It starts once so many are free.')}
        value={form.gpus}
        error={problems['resources.gpus']}
        disabled={disabled}
        onChange={gpus => onChange({ gpus })}
      />
    </>
  );
}

/** Names of secrets, never their values. */
function SecretsField(props: IFieldsProps): JSX.Element {
  const { workspace, form, problems, disabled, onChange } = props;
  const trans = useTrans();
  const { data } = useQuery(secretQueries.list(useApi(), workspace));
  const names = data?.secrets.map(({ name }) => name) ?? [];
  return (
    <TextField
      label={trans.__('Secrets')}
      rows={2}
      placeholder={trans.__('VARIABLE=secret')}
      help={
        names.length > 0
          ? trans.__(
              'One a line; a name alone for both. There are: %1',
              names.join(', ')
            )
          : trans.__('The workspace has none; its page takes new ones.')
      }
      value={form.secrets}
      error={problems.secrets}
      disabled={disabled}
      onChange={secrets => onChange({ secrets })}
    />
  );
}
