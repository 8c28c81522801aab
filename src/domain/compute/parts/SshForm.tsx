import { useEffect, useRef, useState, type RefObject } from 'react';

import { ApiError } from '../../../api/errors';
import { Form, TextField, useTrans } from '../../../ui';
import { useCreateTarget, useHostKeys, useUpdateTarget } from '../mutations';
import {
  fieldOf,
  hostProblems,
  hostToChange,
  hostToMake,
  portOf,
  startHost,
  type HostField,
  type IHostTexts
} from '../sshForm';
import type { ComputeTarget } from '../types';
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
            placeholder: trans.__('the server’s own')
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
        <MoreFields field={field} isNew={!target} />
      </Form>
    </div>
  );
}

/** What has a good default, and is seldom set. */
function MoreFields(props: { field: MakeField; isNew: boolean }): JSX.Element {
  const { field, isNew } = props;
  const trans = useTrans();
  return (
    <details className="jp-mlws-host-more" open={isNew ? undefined : true}>
      <summary>{trans.__('Python, folder and more')}</summary>
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
    </details>
  );
}

/**
 * Leads the focus: to the first field when the form opens, to the choice when the host has shown its keys, and to what is
 * wrong when the server has refused it. Fields that are being sent cannot keep it.
 */
function useLedFocus(form: IHostForm): RefObject<HTMLDivElement> {
  const frame = useRef<HTMLDivElement>(null);
  const { data: shown } = form.keys;
  const { failure } = form;
  useEffect(() => {
    const wishes = failure
      ? ['[aria-invalid="true"]', '[type="submit"]']
      : [shown ? '[type="radio"]:checked' : 'input'];
    const found = wishes
      .map(wish => frame.current?.querySelector<HTMLElement>(wish))
      .find(Boolean);
    found?.focus();
  }, [failure, shown]);
  return frame;
}

interface IHostForm {
  texts: IHostTexts;
  set: (part: Partial<IHostTexts>) => void;
  keys: ReturnType<typeof useHostKeys>;
  ask: () => void;
  canAsk: boolean;
  /** Nobody knows the key of the host yet. */
  mustAsk: boolean;
  agreed: boolean;
  setAgreed: (agreed: boolean) => void;
  problems: Partial<Record<HostField, string>>;
  /** What the last try failed with. */
  failure: Error | null;
  /** The same, where it belongs to no field. */
  error: Error | null;
  valid: boolean;
  busy: boolean;
  submit: () => void;
}

function useHostForm(props: ISshFormProps): IHostForm {
  const { target, onDone } = props;
  const trans = useTrans();
  const [before] = useState(() => startHost(target));
  const [texts, setTexts] = useState(before);
  const [agreed, setAgreed] = useState(false);
  const keys = useHostKeys();
  const create = useCreateTarget();
  const update = useUpdateTarget(target?.name ?? '');
  const failure = keys.error ?? create.error ?? update.error;
  const at = failure instanceof ApiError ? fieldOf(failure.field) : null;
  const problems = {
    ...(failure && at && { [at]: failure.message }),
    ...hostProblems(texts, trans)
  };
  const wrong = Object.keys(hostProblems(texts, trans)).length > 0;
  const set = (part: Partial<IHostTexts>): void => {
    setTexts(was => ({ ...was, ...part }));
    if ('host' in part || 'port' in part) {
      // Another host has another key.
      keys.reset();
      setTexts(was => ({ ...was, hostKey: '' }));
    }
    if ('host' in part || 'port' in part || 'hostKey' in part) {
      setAgreed(false);
    }
    create.reset();
    update.reset();
  };
  const ask = (): void =>
    keys.mutate(
      { host: texts.host.trim(), port: portOf(texts) },
      {
        onSuccess: found => {
          const first = found.find(key => key.known) ?? found[0];
          set({ hostKey: first?.public_key ?? '' });
        }
      }
    );
  const chosen = keys.data?.find(key => key.public_key === texts.hostKey);
  const canAsk =
    texts.host.trim() !== '' &&
    !problems.port &&
    !hostProblems(texts, trans).host;
  const mustAsk = texts.hostKey.trim() === '' && !target;
  const busy = keys.isPending || create.isPending || update.isPending;
  const changes = hostToChange(texts, before);
  const known = !chosen || chosen.known || agreed;
  const complete = target
    ? Object.keys(changes).length > 0
    : texts.name.trim() !== '';
  const submit = (): void => {
    if (mustAsk) {
      ask();
    } else if (target) {
      update.mutate(changes, { onSuccess: () => onDone(target.name) });
    } else {
      create.mutate(hostToMake(texts), {
        onSuccess: made => onDone(made.name)
      });
    }
  };
  return {
    texts,
    set,
    keys,
    ask,
    canAsk,
    mustAsk,
    agreed,
    setAgreed,
    problems,
    failure,
    error: at ? null : failure,
    valid: mustAsk ? canAsk : !wrong && known && complete && canAsk,
    busy,
    submit
  };
}
