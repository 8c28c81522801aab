import type { FormEvent, KeyboardEvent, ReactNode } from 'react';

import { ErrorNotice } from '../ErrorNotice';
import { useTrans } from '../trans';

export interface IFormProps {
  /** What the form does, for screen readers. */
  label: string;
  /** The verb on the button. */
  submitLabel: string;
  onSubmit: () => void;
  onCancel?: () => void;
  /** Nothing brings back what the button takes away: it looks so. */
  danger?: boolean;
  /** While it is being sent: nothing can be pressed twice. */
  busy?: boolean;
  /** False while a field is wrong. */
  valid?: boolean;
  /** What the last submit failed with. */
  error?: unknown;
  children: ReactNode;
}

/** A form: fields, the error of the last try, and its buttons. Ctrl+Enter submits, Escape cancels. */
export function Form(props: IFormProps): JSX.Element {
  const { label, submitLabel, onSubmit, onCancel, busy, children } = props;
  const { valid = true, error } = props;
  const trans = useTrans();
  const ready = valid && !busy;

  const submit = (event: FormEvent | KeyboardEvent): void => {
    event.preventDefault();
    if (ready) {
      onSubmit();
    }
  };

  return (
    // Keys bubble up from the fields: Ctrl+Enter submits from any of them, Escape cancels.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form
      className="jp-mlws-form"
      aria-label={label}
      aria-busy={busy}
      onSubmit={submit}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          // The Lab's own Ctrl+Enter runs a cell.
          event.stopPropagation();
          submit(event);
        } else if (
          event.key === 'Escape' &&
          onCancel &&
          // That Escape is of a word that is being composed.
          !event.nativeEvent.isComposing
        ) {
          event.stopPropagation();
          onCancel();
        }
      }}
      noValidate
    >
      {children}
      {error !== undefined && error !== null && <ErrorNotice error={error} />}
      <div className="jp-mlws-form-actions">
        {onCancel && (
          <button type="button" className="jp-mlws-button" onClick={onCancel}>
            {trans.__('Cancel')}
          </button>
        )}
        <button
          type="submit"
          className={`jp-mlws-button ${props.danger ? 'jp-mlws-button-danger' : 'jp-mlws-button-primary'}`}
          disabled={!ready}
          title={trans.__('%1 (Ctrl+Enter)', submitLabel)}
        >
          {submitLabel}
        </button>
      </div>
    </form>
  );
}
