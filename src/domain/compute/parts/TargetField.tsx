import { CheckboxField, SelectField, TextField } from '../../../ui';
import type { IControlProps, ITargetForm } from '../useTargetForm';
import { HostKeyField } from './HostKeyField';
import { PrivateKeyField } from './PrivateKeyField';
import { SshTargetField } from './SshTargetField';
import { TokenField } from './TokenField';

/** A field of a target's form, as its description has it. */
export function TargetField(props: IControlProps): JSX.Element {
  const { form, field } = props;
  const { name, label, help, placeholder, required } = field;
  const value = form.texts[name] ?? '';
  const common = {
    label,
    help,
    error: form.problems[name],
    disabled: form.busy
  };
  switch (field.control) {
    case 'check':
      return (
        <CheckboxField
          {...common}
          value={value !== ''}
          onChange={yes => form.set({ [name]: yes ? 'yes' : '' })}
        />
      );
    case 'choice':
      return (
        <SelectField
          {...common}
          options={field.choices ?? []}
          value={value}
          onChange={chosen => form.set({ [name]: chosen })}
        />
      );
    case 'hostKey':
      return <HostKey form={form} error={common.error} />;
    case 'privateKey':
      return <PrivateKeyField {...props} />;
    case 'sshTarget':
      return <SshTargetField {...props} />;
    case 'token':
      return <TokenField {...props} />;
    case undefined:
      return (
        <TextField
          {...common}
          required={required}
          placeholder={placeholder}
          value={value}
          onChange={text => form.set({ [name]: text })}
        />
      );
  }
}

function HostKey(props: {
  form: ITargetForm;
  error: string | undefined;
}): JSX.Element {
  const { form, error } = props;
  const { hostKey, texts, target } = form;
  return (
    <HostKeyField
      host={texts['host'] ?? ''}
      kept={target?.ssh?.fingerprint ?? null}
      value={texts['host_key'] ?? ''}
      shown={hostKey.shown}
      agreed={hostKey.agreed}
      error={error}
      disabled={form.busy}
      onAsk={hostKey.canAsk ? hostKey.ask : null}
      onChange={key => form.set({ host_key: key })}
      onAgree={hostKey.setAgreed}
    />
  );
}
