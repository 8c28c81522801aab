import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { secretQueries } from '../../secrets';
import { CheckboxField, NumberField, TextField, useTrans } from '../../../ui';
import type { ISubmission, Problems } from '../submission';
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
      <NumberField
        label={trans.__('Priority')}
        integer
        help={trans.__('Greater ones leave the queue first.')}
        value={form.priority}
        error={problems.priority}
        disabled={disabled}
        onChange={priority => onChange({ priority })}
      />
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
    </div>
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
