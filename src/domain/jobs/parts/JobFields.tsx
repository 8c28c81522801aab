import { MoreFields, TextField, useTrans } from '../../../ui';
import { ADVANCED, kindOfJob } from '../submission';
import { AdvancedFields, type IFieldsProps } from './AdvancedFields';
import { MainFields } from './MainFields';
import { ParameterList } from './ParameterList';

/** All fields of a job, whether it is submitted or run again. */
export function JobFields(
  props: IFieldsProps & { onTagCell: (() => Promise<void>) | null }
): JSX.Element {
  const { form, problems, disabled, onChange, subject, onTagCell } = props;
  const trans = useTrans();
  return (
    <>
      <MainFields {...props} />
      {kindOfJob(subject) === 'command' && <CommandField {...props} />}
      {kindOfJob(subject) === 'notebook' && (
        <ParameterList
          subject={subject}
          drafts={form.drafts}
          problems={problems}
          disabled={disabled}
          onChange={drafts => onChange({ drafts })}
          onTagCell={onTagCell}
        />
      )}
      <MoreFields
        className="jp-mlws-more-options"
        summary={trans.__('More options')}
        // What a job had stays in force when it is run again: it is not hidden.
        begun={Boolean(
          form.timeout || form.priority || form.env || form.secrets
        )}
        wrong={ADVANCED.some(field => problems[field])}
      >
        <AdvancedFields {...props} />
      </MoreFields>
    </>
  );
}

function CommandField(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange } = props;
  const trans = useTrans();
  return (
    <TextField
      label={trans.__('Command')}
      rows={Math.min(8, Math.max(2, form.command.split('\n').length))}
      value={form.command}
      error={problems.command}
      disabled={disabled}
      onChange={command => onChange({ command })}
    />
  );
}
