import { useId } from 'react';

import { CheckboxField, TextField, useTrans } from '../../../ui';
import type { ShownKey } from '../types';

export interface IHostKeyFieldProps {
  host: string;
  /** The fingerprint that the target has; null for a new one. */
  kept: string | null;
  /** The key that is chosen or typed; empty: the one that is kept. */
  value: string;
  /** What the host shows; null before it was asked. */
  shown: readonly ShownKey[] | null;
  agreed: boolean;
  error: string | undefined;
  disabled: boolean;
  /** Asks the host; null where it cannot be asked yet. */
  onAsk: (() => void) | null;
  onChange: (key: string) => void;
  onAgree: (agreed: boolean) => void;
}

/** The key that the host must show: typed as its owner told it, or one that it shows and somebody agrees to. */
export function HostKeyField(props: IHostKeyFieldProps): JSX.Element {
  const { kept, shown, value, onAsk, disabled } = props;
  const trans = useTrans();
  return (
    <fieldset className="jp-mlws-host-key">
      <legend>{trans.__('Key of the host')}</legend>
      {kept && !value && (
        <p className="jp-mlws-target-none">
          <code className="jp-mlws-fingerprint">{kept}</code>
        </p>
      )}
      {shown && shown.length > 0 ? (
        <Choice {...props} shown={shown} />
      ) : (
        <TextField
          label={
            kept
              ? trans.__('Another fingerprint, as its owner tells it')
              : trans.__('Fingerprint, as its owner tells it')
          }
          placeholder={trans.__('SHA256:…')}
          help={
            kept
              ? undefined
              : trans.__('Left empty, the host is asked, and you compare.')
          }
          error={props.error}
          disabled={disabled}
          value={value}
          onChange={props.onChange}
        />
      )}
      {kept && onAsk && !shown && (
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          disabled={disabled}
          onClick={onAsk}
        >
          {trans.__('Ask the host for its key')}
        </button>
      )}
    </fieldset>
  );
}

function Choice(
  props: IHostKeyFieldProps & { shown: readonly ShownKey[] }
): JSX.Element {
  const { host, shown, value, kept, error, disabled } = props;
  const trans = useTrans();
  const group = useId();
  const chosen = shown.find(key => key.public_key === value);
  return (
    <>
      <p className="jp-mlws-target-none">{trans.__('%1 shows:', host)}</p>
      {shown.map(key => (
        <KeyChoice
          key={key.fingerprint}
          shown={key}
          group={group}
          isKept={key.fingerprint === kept}
          checked={key.public_key === value}
          disabled={disabled}
          onChoose={() => props.onChange(key.public_key)}
        />
      ))}
      {error && (
        <div className="jp-mlws-field-error" role="alert">
          {error}
        </div>
      )}
      {chosen?.known ? (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {trans.__('It stands in known_hosts of the server’s user.')}
        </p>
      ) : (
        <CheckboxField
          label={trans.__('The owner of the host tells the same fingerprint')}
          help={trans.__(
            'Somebody between here and there could show a key of their own. On the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'
          )}
          disabled={disabled}
          value={props.agreed}
          onChange={props.onAgree}
        />
      )}
    </>
  );
}

function KeyChoice(props: {
  shown: ShownKey;
  /** One of them is chosen. */
  group: string;
  isKept: boolean;
  checked: boolean;
  disabled: boolean;
  onChoose: () => void;
}): JSX.Element {
  const { type, fingerprint } = props.shown;
  const trans = useTrans();
  const id = useId();
  return (
    <div className="jp-mlws-host-choice">
      <input
        id={id}
        type="radio"
        name={props.group}
        disabled={props.disabled}
        checked={props.checked}
        onChange={props.onChoose}
      />
      <label htmlFor={id}>
        <code className="jp-mlws-fingerprint">{fingerprint}</code>
        <span className="jp-mlws-muted">
          {props.isKept ? trans.__('%1, the one it has now', type) : type}
        </span>
      </label>
    </div>
  );
}
