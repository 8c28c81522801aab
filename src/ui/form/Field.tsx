import { useId, type ReactNode } from 'react';

/** What every field has. */
export interface IFieldProps {
  label: string;
  /** A line of help under the field. */
  help?: string;
  /** What is wrong with the value; shown at the field and told to screen readers. */
  error?: string;
  required?: boolean;
  disabled?: boolean;
  /** The control stands before its label, as a checkbox does. */
  inline?: boolean;
}

/** The attributes that tie a control to its label, help and error. */
export interface IControlAttributes {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
  required: boolean | undefined;
  disabled: boolean | undefined;
}

/** A label, a control, help and error: the frame of every field. */
export function Field(
  props: IFieldProps & {
    children: (attributes: IControlAttributes) => ReactNode;
  }
): JSX.Element {
  const { label, help, error, required, disabled, inline, children } = props;
  const id = useId();
  const describedBy = [help && `${id}-help`, error && `${id}-error`]
    .filter(Boolean)
    .join(' ');
  return (
    <div className={`jp-mlws-field${inline ? ' jp-mlws-field-inline' : ''}`}>
      <label htmlFor={id}>
        {label}
        {required && <span aria-hidden="true"> *</span>}
      </label>
      {children({
        id,
        'aria-describedby': describedBy || undefined,
        'aria-invalid': error ? true : undefined,
        required,
        disabled
      })}
      {help && (
        <div id={`${id}-help`} className="jp-mlws-field-help">
          {help}
        </div>
      )}
      {error && (
        <div id={`${id}-error`} className="jp-mlws-field-error" role="alert">
          {error}
        </div>
      )}
    </div>
  );
}
