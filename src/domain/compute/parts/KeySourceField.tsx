import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { SelectField, useTrans } from '../../../ui';
import { secretQueries } from '../../secrets';
import { useWorkspace } from '../../workspaces';
import { keyChoice } from '../sshForm';

/** Which private key the server shows to the host: one of its SSH agent, or a secret of the workspace. */
export function KeySourceField(props: {
  value: string;
  error: string | undefined;
  disabled: boolean;
  onChange: (choice: string) => void;
}): JSX.Element {
  const { value, onChange } = props;
  const trans = useTrans();
  const [workspace] = useWorkspace();
  const secrets = useQuery(secretQueries.list(useApi(), workspace));
  const choices = (secrets.data?.secrets ?? []).map(({ name }) => ({
    value: keyChoice({ workspace, name }),
    label: trans.__('Secret %1', name)
  }));
  if (value && !choices.some(choice => choice.value === value)) {
    // Of another workspace, or gone: it stays what it is until another one is chosen.
    choices.unshift({ value, label: trans.__('Secret %1', value) });
  }
  return (
    <SelectField
      label={trans.__('Private key')}
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
      error={props.error}
      disabled={props.disabled}
      value={value}
      options={[
        { value: '', label: trans.__('Keys of the server’s SSH agent') },
        ...choices
      ]}
      onChange={onChange}
    />
  );
}
