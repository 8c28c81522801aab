import { useEffect, useRef, useState, type RefObject } from 'react';

import { ApiError } from '../../api/errors';
import { useTrans } from '../../ui';
import {
  fieldOf,
  findProblems,
  isComplete,
  shownFields,
  startTexts,
  toChange,
  toMake,
  type ITargetField,
  type TargetKind,
  type Texts
} from './fields';
import { targetFields } from './kinds';
import { useSaveTarget } from './mutations';
import { NEW_SECRET } from './secretChoice';
import type { ComputeTarget } from './types';
import { useHostKey, type IHostKey } from './useHostKey';
import { useTypedToken } from './useTypedToken';

export interface ITargetFormProps {
  kind: TargetKind;
  /** The target that is changed; null for a new one. */
  target: ComputeTarget | null;
  /** What was typed before, if the form was left for a moment. */
  draft?: Texts | undefined;
  onDraft?: ((texts: Texts) => void) | undefined;
  onDone: (name: string) => void;
}

/** The form of a target as it stands. */
export interface ITargetForm {
  target: ComputeTarget | null;
  /** Those that are shown. */
  fields: readonly ITargetField[];
  /** What it began with. */
  before: Texts;
  texts: Texts;
  set: (part: Texts) => void;
  hostKey: IHostKey;
  problems: Readonly<Record<string, string>>;
  /** What the last try failed with. */
  failure: Error | null;
  /** The same, where it belongs to no field. */
  error: Error | null;
  valid: boolean;
  busy: boolean;
  submit: () => void;
}

/** What the control of a field is given. */
export interface IControlProps {
  form: ITargetForm;
  field: ITargetField;
}

/** What is typed, what is wrong, and what the button does. */
export function useTargetForm(props: ITargetFormProps): ITargetForm {
  const { kind, target, draft, onDraft, onDone } = props;
  const trans = useTrans();
  // What the target becomes meanwhile changes nothing under who types.
  const [all] = useState(() => targetFields(kind, target, trans));
  const [before] = useState(() => startTexts(all));
  const [texts, setTexts] = useState<Texts>({ ...before, ...draft });
  const save = useSaveTarget();
  const fields = shownFields(all, texts);
  const own = findProblems(all, texts, before, trans);
  const write = (part: Texts): void => {
    setTexts(was => ({ ...was, ...part }));
    save.reset();
  };
  const hostKey = useHostKey({ isNew: !target, kind, texts, own, write });
  const { choosing } = hostKey;
  useEffect(
    // A key that the host has shown counts while it is shown: taken for a typed one, nobody would have to agree to it.
    () => onDraft?.(choosing ? { ...texts, host_key: '' } : texts),
    [texts, onDraft, choosing]
  );
  const token = useTypedToken(texts, before, target);
  const failure = hostKey.error ?? save.error;
  const at =
    failure instanceof ApiError ? fieldOf(failure.field, kind, fields) : null;
  const changes = toChange(kind, fields, texts, before);
  const complete = target
    ? hasAny(changes) || token !== null
    : isComplete(all, texts);
  const submit = (): void => {
    if (hostKey.mustAsk) {
      hostKey.ask();
      return;
    }
    hostKey.forgetError();
    save.mutate(
      {
        name: target?.name ?? null,
        token,
        body: secret => {
          const sent = { ...texts, ...(secret && { token: secret }) };
          return target
            ? toChange(kind, fields, sent, before)
            : toMake(kind, fields, sent);
        }
      },
      { onSuccess: name => onDone(name) }
    );
  };
  return {
    target,
    fields,
    before,
    texts,
    set: part => write({ ...part, ...hostKey.after(part) }),
    hostKey,
    problems: { ...(failure && at && { [at]: failure.message }), ...own },
    failure,
    error: at ? null : failure,
    valid: hostKey.mustAsk
      ? hostKey.canAsk
      : !hasAny(own) &&
        hostKey.trusted &&
        complete &&
        (token !== null || texts['token'] !== NEW_SECRET),
    busy: hostKey.busy || save.isPending,
    submit
  };
}

function hasAny(found: object): boolean {
  return Object.keys(found).length > 0;
}

/**
 * Leads the focus: to the first field when the form opens, to the choice when the host has shown its keys, and to what is
 * wrong when the server has refused it. Fields that are being sent cannot keep it.
 */
export function useLedFocus(form: ITargetForm): RefObject<HTMLDivElement> {
  const frame = useRef<HTMLDivElement>(null);
  const {
    failure,
    hostKey: { choosing }
  } = form;
  useEffect(() => {
    frame.current?.querySelector<HTMLElement>('input, select')?.focus();
  }, []);
  useEffect(() => {
    if (choosing) {
      frame.current
        ?.querySelector<HTMLElement>('[type="radio"]:checked')
        ?.focus();
    }
  }, [choosing]);
  // Apart from that one: a failure that goes while somebody types must not move the focus.
  useEffect(() => {
    if (failure) {
      const found = ['[aria-invalid="true"]', '[type="submit"]']
        .map(wish => frame.current?.querySelector<HTMLElement>(wish))
        .find(Boolean);
      found?.focus();
    }
  }, [failure]);
  return frame;
}
