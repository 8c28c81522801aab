import type { TranslationBundle } from '@jupyterlab/translation';
import { undoIcon } from '@jupyterlab/ui-components';
import { useId } from 'react';

import { IconButton, useTrans } from '../../../ui';
import {
  currentText,
  defaultText,
  isChanged,
  isTick,
  placeholder,
  startText,
  type Drafts
} from '../drafts';
import type { IFormParameter } from '../types';

export interface IParameterRowProps {
  field: IFormParameter;
  drafts: Drafts;
  problem: string | undefined;
  disabled: boolean;
  /** undefined takes back what was there. */
  onChange: (text: string | undefined) => void;
}

/** One parameter: its name, a field of its type, its comment, and a way back to what it was. */
export function ParameterRow(props: IParameterRowProps): JSX.Element {
  const { field, drafts, problem, disabled, onChange } = props;
  const trans = useTrans();
  const id = useId();
  const changed = isChanged(field, drafts);
  const help = helpText(field, trans);
  return (
    <div className="jp-mlws-parameter" data-changed={changed || undefined}>
      <label htmlFor={id} title={field.name}>
        {field.name}
      </label>
      <ParameterInput
        {...props}
        id={id}
        describedBy={[help && `${id}-help`, problem && `${id}-error`]}
      />
      <span className="jp-mlws-parameter-type">
        {typeWord(field.type)}
        {changed && (
          <IconButton
            icon={undoIcon}
            label={trans.__(
              'Reset %1 to %2',
              field.name,
              startText(field) || placeholder(field) || trans.__('its default')
            )}
            disabled={disabled}
            onClick={() => onChange(undefined)}
          />
        )}
      </span>
      {help && (
        <span id={`${id}-help`} className="jp-mlws-parameter-help">
          {help}
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
function typeWord(type: IFormParameter['type']): string {
  return type === 'none' || type === 'unknown' ? '' : type;
}

/** The comment; and the default, where the field begins with something else. */
function helpText(field: IFormParameter, trans: TranslationBundle): string {
  const usual = field.had && (defaultText(field) || field.default_source);
  return [field.help, usual && trans.__('default: %1', usual)]
    .filter(Boolean)
    .join(' · ');
}

function ParameterInput(
  props: IParameterRowProps & {
    id: string;
    describedBy: (string | undefined)[];
  }
): JSX.Element {
  const { field, drafts, problem, disabled, onChange, id } = props;
  const text = currentText(field, drafts);
  const common = {
    id,
    disabled,
    'aria-invalid': problem ? true : undefined,
    'aria-describedby': props.describedBy.filter(Boolean).join(' ') || undefined
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
