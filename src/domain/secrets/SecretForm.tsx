import { useState } from 'react';

import { ApiError } from '../../api/errors';
import { Field, Form, TextField, useTrans } from '../../ui';
import { useSetSecret } from './mutations';

/** As the server's rule has it. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** The name and value of a new secret, or another value for one that is there. */
export function SecretForm(props: {
  workspace: string;
  /** The secret that is given another value; null for a new one. */
  name: string | null;
  onDone: () => void;
}): JSX.Element {
  const { workspace, onDone } = props;
  const trans = useTrans();
  const [name, setName] = useState(props.name ?? '');
  const [value, setValue] = useState('');
  const save = useSetSecret(workspace, onDone);
  const refused =
    save.error instanceof ApiError && save.error.field === 'value'
      ? save.error.message
      : undefined;
  const wrong = name !== '' && !NAME.test(name);
  return (
    <Form
      label={
        props.name
          ? trans.__('Replace the value of %1', props.name)
          : trans.__('New secret')
      }
      submitLabel={props.name ? trans.__('Replace') : trans.__('Save')}
      valid={NAME.test(name) && value.trim() !== ''}
      busy={save.isPending}
      error={refused ? undefined : save.error}
      onCancel={onDone}
      onSubmit={() => save.mutate({ name, value })}
    >
      {props.name === null && (
        <TextField
          label={trans.__('Name')}
          placeholder={trans.__('HF_TOKEN')}
          help={trans.__(
            'Jobs name it; most often it is called as their variable.'
          )}
          error={
            wrong
              ? trans.__('Letters, digits, “_”, “-” and “.”, at most 100.')
              : undefined
          }
          value={name}
          onChange={setName}
        />
      )}
      <Field
        label={trans.__('Value')}
        error={refused}
        help={trans.__(
          'It is never shown again. For several lines: mlws secret set %1 < file',
          name || 'NAME'
        )}
      >
        {attributes => (
          <input
            {...attributes}
            type="password"
            className="jp-mlws-input"
            // A browser offers to keep passwords, and would fill in another one's.
            autoComplete="new-password"
            spellCheck={false}
            value={value}
            onChange={event => {
              setValue(event.target.value);
              save.reset();
            }}
          />
        )}
      </Field>
    </Form>
  );
}
