import { useState } from 'react';

import { Field, type IFieldProps } from './Field';

interface IValueProps<T> extends IFieldProps {
  value: T;
  onChange: (value: T) => void;
}

/** A line of text, or several with `rows`. */
export function TextField(
  props: IValueProps<string> & { placeholder?: string; rows?: number }
): JSX.Element {
  const { value, onChange, placeholder, rows } = props;
  return (
    <Field {...props}>
      {attributes =>
        rows ? (
          <textarea
            {...attributes}
            className="jp-mlws-input"
            rows={rows}
            placeholder={placeholder}
            value={value}
            onChange={event => onChange(event.target.value)}
          />
        ) : (
          <input
            {...attributes}
            type="text"
            className="jp-mlws-input"
            placeholder={placeholder}
            value={value}
            onChange={event => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}

/**
 * A number; null while the text is not one. The text stays as typed ("1e-", "-") until it is.
 */
export function NumberField(
  props: IValueProps<number | null> & { integer?: boolean }
): JSX.Element {
  const { value, onChange, integer } = props;
  const [text, setText] = useState(value === null ? '' : String(value));
  const kept = parseNumber(text, integer) === value;
  const shown = kept ? text : value === null ? '' : String(value);
  return (
    <Field {...props}>
      {attributes => (
        <input
          {...attributes}
          type="text"
          inputMode={integer ? 'numeric' : 'decimal'}
          className="jp-mlws-input jp-mlws-number"
          value={shown}
          onChange={event => {
            setText(event.target.value);
            onChange(parseNumber(event.target.value, integer));
          }}
        />
      )}
    </Field>
  );
}

/** Reads a number as Python would write it; null when it is none. */
export function parseNumber(text: string, integer = false): number | null {
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) && (!integer || Number.isInteger(value))
    ? value
    : null;
}

/** One of a few. */
export function SelectField<T extends string>(
  props: IValueProps<T> & {
    options: readonly { value: T; label: string; disabled?: boolean }[];
  }
): JSX.Element {
  const { value, onChange, options } = props;
  return (
    <Field {...props}>
      {attributes => (
        <select
          {...attributes}
          className="jp-mlws-input"
          value={value}
          onChange={event => onChange(event.target.value as T)}
        >
          {options.map(option => (
            <option
              key={option.value}
              value={option.value}
              disabled={option.disabled}
            >
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Yes or no. */
export function CheckboxField(props: IValueProps<boolean>): JSX.Element {
  const { value, onChange } = props;
  return (
    <Field {...props} inline>
      {attributes => (
        <input
          {...attributes}
          type="checkbox"
          checked={value}
          onChange={event => onChange(event.target.checked)}
        />
      )}
    </Field>
  );
}
