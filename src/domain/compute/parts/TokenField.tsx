import { Field, SelectField, useTrans } from '../../../ui';
import { textOf } from '../fields';
import { freeName, NEW_SECRET } from '../secretChoice';
import { useSecretChoices } from '../useSecretChoices';
import { keptSecret, TYPED_TOKEN } from '../useTypedToken';
import type { IControlProps } from '../useTargetForm';

/** The token of another Jupyter server: a secret that is there, or one that is made of what is typed. It is never shown again. */
export function TokenField(props: IControlProps): JSX.Element {
  const { form, field } = props;
  const { name, label } = field;
  const trans = useTrans();
  const value = form.texts[name] ?? '';
  const { choices } = useSecretChoices(value);
  const typing = value === NEW_SECRET || (value && value === form.before[name]);
  return (
    <div className="jp-mlws-target-fields">
      <SelectField
        label={label}
        help={trans.__('It lets whoever has it in: a secret holds it.')}
        error={typing ? undefined : form.problems[name]}
        disabled={form.busy}
        value={value}
        options={[
          { value: NEW_SECRET, label: trans.__('A new secret, typed below') },
          ...choices,
          { value: '', label: trans.__('Nowhere: none is sent') }
        ]}
        onChange={choice => form.set({ [name]: choice, [TYPED_TOKEN]: '' })}
      />
      {typing && <TypedToken {...props} />}
    </div>
  );
}

function TypedToken(props: IControlProps): JSX.Element {
  const { form, field } = props;
  const trans = useTrans();
  const { workspace, names } = useSecretChoices(form.texts[field.name] ?? '');
  const isNew = form.texts[field.name] === NEW_SECRET;
  const kept = keptSecret(form.texts, form.before);
  const target = form.target?.name ?? textOf(form.texts, 'name');
  const made = freeName(`${target || trans.__('NAME')}-token`, names);
  return (
    <Field
      label={isNew ? trans.__('Token') : trans.__('Another token')}
      help={
        kept
          ? trans.__(
              'Left empty, the token stays. Another one replaces the value of the secret %1 of %2, for all who use it.',
              kept.name,
              kept.workspace
            )
          : isNew
            ? trans.__(
                'Kept as the secret %1 of %2, and never shown again. “jupyter server list” tells it there.',
                made,
                workspace
              )
            : trans.__(
                'Left empty, the token goes to the new address, too. Another one is kept as the secret %1 of %2.',
                made,
                workspace
              )
      }
      error={form.problems[field.name]}
      required={isNew}
      disabled={form.busy}
    >
      {attributes => (
        <input
          {...attributes}
          type="password"
          className="jp-mlws-input"
          // A browser offers to keep passwords, and would fill in another one's.
          autoComplete="new-password"
          spellCheck={false}
          placeholder={isNew ? '' : trans.__('unchanged')}
          value={form.texts[TYPED_TOKEN] ?? ''}
          onChange={event => form.set({ [TYPED_TOKEN]: event.target.value })}
        />
      )}
    </Field>
  );
}
