import { Form, MoreFields, useTrans } from '../../../ui';
import { kindWords } from '../kinds';
import {
  useLedFocus,
  useTargetForm,
  type ITargetForm,
  type ITargetFormProps
} from '../useTargetForm';
import { TargetField } from './TargetField';

/**
 * The form of a target of any kind. An SSH host is not saved before somebody has agreed to the key that it shows, or has typed
 * the one that its owner told: until then the form's button asks the host for it.
 */
export function TargetForm(
  props: ITargetFormProps & { onCancel: () => void; onBack?: () => void }
): JSX.Element {
  const { kind, target, onCancel, onBack } = props;
  const trans = useTrans();
  const form = useTargetForm(props);
  const frame = useLedFocus(form);
  const words = kindWords(trans)[kind];
  const often = form.fields.filter(({ seldom }) => !seldom);
  const seldom = form.fields.filter(field => field.seldom);
  const label = target
    ? trans.__('Edit the compute target %1', target.name)
    : words.makes;
  return (
    <div ref={frame} className="jp-mlws-target-edit">
      <header className="jp-mlws-card-head">
        <h3>{target ? trans.__('Edit') : label}</h3>
        {onBack && (
          <button
            type="button"
            className="jp-mlws-button jp-mlws-button-small"
            title={trans.__('Choose another kind')}
            onClick={onBack}
          >
            {trans.__('Back')}
          </button>
        )}
      </header>
      {target && (
        <p className="jp-mlws-muted jp-mlws-target-none">{words.fixed}</p>
      )}
      <Form
        label={label}
        submitLabel={
          form.hostKey.mustAsk
            ? trans.__('Ask the host for its key')
            : target
              ? trans.__('Save')
              : trans.__('Make the target')
        }
        busy={form.busy}
        valid={form.valid}
        error={form.error}
        onSubmit={form.submit}
        onCancel={onCancel}
      >
        <Fields form={form} fields={often} />
        <MoreFields
          className="jp-mlws-target-more"
          summary={words.more}
          begun={target !== null}
          wrong={seldom.some(({ name }) => form.problems[name])}
        >
          <Fields form={form} fields={seldom} />
        </MoreFields>
      </Form>
    </div>
  );
}

function Fields(props: {
  form: ITargetForm;
  fields: ITargetForm['fields'];
}): JSX.Element {
  return (
    <div className="jp-mlws-target-fields">
      {props.fields.map(field => (
        <div key={field.name} data-columns={field.columns ?? 4}>
          <TargetField form={props.form} field={field} />
        </div>
      ))}
    </div>
  );
}
