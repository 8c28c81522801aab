import { Form, MoreFields, TextField, useTrans } from '../../../ui';
import type { HostField } from '../sshForm';
import type { ComputeTarget } from '../types';
import { useHostForm, useLedFocus } from '../useHostForm';
import { HostKeyField } from './HostKeyField';
import { KeySourceField } from './KeySourceField';

export interface ISshFormProps {
  /** The target that is changed; null for a new one. */
  target: ComputeTarget | null;
  onDone: (name: string) => void;
  onCancel: () => void;
}

type MakeField = (
  name: HostField,
  label: string,
  more?: { placeholder?: string; required?: boolean }
) => JSX.Element;

/** The fields that are seldom set. */
const MORE: readonly HostField[] = [
  'python',
  'folder',
  'serverUrl',
  'maxJobs',
  'description'
];

/**
 * A host that jobs run on. Nothing is saved before somebody has agreed to the key that the host shows, or has typed the
 * one that its owner told: until then the form's button asks the host for it.
 */
export function SshForm(props: ISshFormProps): JSX.Element {
  const { target, onCancel } = props;
  const trans = useTrans();
  const form = useHostForm(props);
  const { texts, keys, agreed } = form;
  const field: MakeField = (name, label, more) => (
    <TextField
      label={label}
      value={texts[name]}
      error={form.problems[name]}
      disabled={form.busy}
      onChange={text => form.set({ [name]: text })}
      {...more}
    />
  );
  const frame = useLedFocus(form);
  return (
    <div ref={frame} className="jp-mlws-host-form">
      <Form
        label={
          target
            ? trans.__('Edit the compute target %1', target.name)
            : trans.__('New SSH target')
        }
        submitLabel={
          form.mustAsk
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
        {!target && field('name', trans.__('Name'), { required: true })}
        <div className="jp-mlws-host-place">
          {field('host', trans.__('Host'), {
            required: true,
            placeholder: trans.__('gpu1.lab.example')
          })}
          {field('port', trans.__('Port'))}
          {field('user', trans.__('User'), {
            required: target !== null,
            placeholder: target ? '' : trans.__('the server’s own')
          })}
        </div>
        <KeySourceField
          value={texts.key}
          error={form.problems.key}
          disabled={form.busy}
          onChange={key => form.set({ key })}
        />
        <HostKeyField
          host={texts.host}
          kept={target?.ssh?.fingerprint ?? null}
          value={texts.hostKey}
          shown={keys.data ?? null}
          agreed={agreed}
          error={form.problems.hostKey}
          disabled={form.busy}
          onAsk={form.canAsk ? form.ask : null}
          onChange={hostKey => form.set({ hostKey })}
          onAgree={form.setAgreed}
        />
        <MoreFields
          className="jp-mlws-host-more"
          summary={trans.__('Python, folder and more')}
          begun={target !== null}
          wrong={MORE.some(name => form.problems[name])}
        >
          <Seldom field={field} isNew={!target} />
        </MoreFields>
      </Form>
    </div>
  );
}

/** What has a good default. */
function Seldom(props: { field: MakeField; isNew: boolean }): JSX.Element {
  const { field, isNew } = props;
  const trans = useTrans();
  return (
    <>
      {field('python', trans.__('Python there'), {
        placeholder: trans.__('python3')
      })}
      {field('folder', trans.__('Folder there'), {
        placeholder: trans.__('~/.mlws')
      })}
      {field('serverUrl', trans.__('Address of this server, from there'), {
        placeholder: trans.__('none: what jobs log is fetched')
      })}
      {isNew && field('maxJobs', trans.__('Jobs at once'))}
      {field('description', trans.__('What it is'))}
    </>
  );
}
