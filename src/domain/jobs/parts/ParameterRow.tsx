import { undoIcon } from '@jupyterlab/ui-components';
import { useId } from 'react';

import { IconButton, useTrans } from '../../../ui';
import {
  currentText,
  defaultText,
  isChanged,
  isTick,
  placeholder,
  type Drafts
} from '../drafts';
import type { ParameterField } from '../types';

export interface IParameterRowProps {
  field: ParameterField;
  drafts: Drafts;
  problem: string | undefined;
  disabled: boolean;
  /** undefined takes the default again. */
  onChange: (text: string | undefined) => void;
}

/** One parameter: its name, a field of its type, its comment, and a way back to the default. */
export function ParameterRow(props: IParameterRowProps): JSX.Element {
  const { field, drafts, problem, disabled, onChange } = props;
  const trans = useTrans();
  const id = useId();
  const changed = isChanged(field, drafts);
  const note = typeWord(field.type);
  return (
    <div className="jp-mlws-parameter" data-changed={changed || undefined}>
      <label htmlFor={id} title={field.name}>
        {field.name}
      </label>
      <ParameterInput {...props} id={id} />
      <span className="jp-mlws-parameter-type">
        {note}
        {changed && (
          <IconButton
            icon={undoIcon}
            label={trans.__(
              'Reset %1 to %2',
              field.name,
              defaultText(field) ||
                placeholder(field) ||
                trans.__('its default')
            )}
            disabled={disabled}
            onClick={() => onChange(undefined)}
          />
        )}
      </span>
      {field.help && (
        <span id={`${id}-help`} className="jp-mlws-parameter-help">
          {field.help}
        </span>
      )}
      {problem && (
        <span
          id={`${id}-error`}
          className="jp-mlws-field-error jp-mlws-parameter-error"
          role="alert"
        >
          {problem}
        </span>
      )}
    </div>
  );
}

/** A type as Python calls it; nothing where none is known. */
function typeWord(type: ParameterField['type']): string {
  return type === 'none' || type === 'unknown' ? '' : type;
}

function ParameterInput(
  props: IParameterRowProps & { id: string }
): JSX.Element {
  const { field, drafts, problem, disabled, onChange, id } = props;
  const text = currentText(field, drafts);
  const described = [field.help && `${id}-help`, problem && `${id}-error`];
  const common = {
    id,
    disabled,
    'aria-invalid': problem ? true : undefined,
    'aria-describedby': described.filter(Boolean).join(' ') || undefined
  };
  if (isTick(field)) {
    return (
      <span className="jp-mlws-parameter-tick">
        <input
          {...common}
          type="checkbox"
          checked={text === 'True'}
          onChange={event => onChange(event.target.checked ? 'True' : 'False')}
        />
        <span aria-hidden="true">{text}</span>
      </span>
    );
  }
  return (
    <input
      {...common}
      type="text"
      className="jp-mlws-input"
      data-type={field.type}
      inputMode={
        field.type === 'int' && field.annotated
          ? 'numeric'
          : field.type === 'float' || field.type === 'int'
            ? 'decimal'
            : undefined
      }
      autoComplete="off"
      spellCheck={false}
      placeholder={placeholder(field)}
      value={text}
      onChange={event => onChange(event.target.value)}
    />
  );
}
