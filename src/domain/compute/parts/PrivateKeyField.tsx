import { SelectField, useTrans } from '../../../ui';
import { useSecretChoices } from '../useSecretChoices';
import type { IControlProps } from '../useTargetForm';

/** Which private key the server shows to the host: one of its SSH agent, or a secret of the workspace. */
export function PrivateKeyField(props: IControlProps): JSX.Element {
  const { form, field } = props;
  const { name, label } = field;
  const trans = useTrans();
  const value = form.texts[name] ?? '';
  const { workspace, choices } = useSecretChoices(value);
  return (
    <SelectField
      label={label}
      help={
        choices.length === 0
          ? trans.__(
              'Or one without a passphrase in the secret store: mlws secret set lab-key < ~/.ssh/lab_ed25519'
            )
          : trans.__(
              'A secret of the workspace %1, or the server’s agent.',
              workspace
            )
      }
      error={form.problems[name]}
      disabled={form.busy}
      value={value}
      options={[
        { value: '', label: trans.__('The server’s SSH agent') },
        ...choices
      ]}
      onChange={key => form.set({ [name]: key })}
    />
  );
}
