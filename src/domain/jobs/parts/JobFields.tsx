import { useEffect, useState, type ReactNode } from 'react';

import { TextField, useTrans } from '../../../ui';
import { ADVANCED, kindOfJob } from '../submission';
import { AdvancedFields, type IFieldsProps } from './AdvancedFields';
import { MainFields } from './MainFields';
import { ParameterList } from './ParameterList';

/** All fields of a job, whether it is submitted or run again. */
export function JobFields(
  props: IFieldsProps & { onTagCell: (() => Promise<void>) | null }
): JSX.Element {
  const { form, problems, disabled, onChange, subject, onTagCell } = props;
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
      <MoreOptions
        // What a job had stays in force when it is run again: it is not hidden.
        begun={Boolean(
          form.timeout || form.priority || form.env || form.secrets
        )}
        wrong={ADVANCED.some(field => problems[field])}
      >
        <AdvancedFields {...props} />
      </MoreOptions>
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

/** Opens by itself where something in it is wrong, and closes by a press alone: never under who types in it. */
function MoreOptions(props: {
  begun: boolean;
  wrong: boolean;
  children: ReactNode;
}): JSX.Element {
  const { begun, wrong, children } = props;
  const trans = useTrans();
  const [open, setOpen] = useState(begun);
  useEffect(() => {
    if (wrong) {
      setOpen(true);
    }
  }, [wrong]);
  return (
    <details
      className="jp-mlws-more-options"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('More options')}</summary>
      {children}
    </details>
  );
}
