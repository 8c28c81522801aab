import { useEffect, useRef, useState, type RefObject } from 'react';

import { ApiError } from '../../api/errors';
import { useTrans } from '../../ui';
import { useCreateTarget, useHostKeys, useUpdateTarget } from './mutations';
import {
  fieldOf,
  hostProblems,
  hostToChange,
  hostToMake,
  portOf,
  startHost,
  type HostField,
  type IHostTexts
} from './sshForm';
import type { ComputeTarget } from './types';

/** The form of a host as it stands. */
export interface IHostForm {
  texts: IHostTexts;
  set: (part: Partial<IHostTexts>) => void;
  keys: ReturnType<typeof useHostKeys>;
  ask: () => void;
  canAsk: boolean;
  /** Nobody knows the key of the host yet. */
  mustAsk: boolean;
  /** One of the keys that the host has shown is chosen. */
  choosing: boolean;
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

const NO_KEY = { hostKey: '' };

/** What is typed, what the host has shown, what is wrong, and what the button does. */
export function useHostForm(props: {
  target: ComputeTarget | null;
  onDone: (name: string) => void;
}): IHostForm {
  const { target, onDone } = props;
  const trans = useTrans();
  const [before] = useState(() => startHost(target));
  const [texts, setTexts] = useState(before);
  const [agreed, setAgreed] = useState(false);
  const keys = useHostKeys();
  const create = useCreateTarget();
  const update = useUpdateTarget(target?.name ?? '');
  const failure = keys.error ?? create.error ?? update.error;
  const own = hostProblems(texts, before, trans);
  const at = failure instanceof ApiError ? fieldOf(failure.field) : null;
  const problems = { ...(failure && at && { [at]: failure.message }), ...own };
  const set = (part: Partial<IHostTexts>): void => {
    // Another host shows another key. One that was typed stays: the host is compared with it.
    const moved = 'host' in part || 'port' in part;
    const shown = moved && keys.data !== undefined;
    setTexts(was => ({ ...was, ...part, ...(shown && NO_KEY) }));
    if (moved) {
      keys.reset();
    }
    if (moved || 'hostKey' in part) {
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
  const canAsk = texts.host.trim() !== '' && !own.port && !own.host;
  const mustAsk = texts.hostKey.trim() === '' && !target;
  const busy = keys.isPending || create.isPending || update.isPending;
  const changes = hostToChange(texts, before);
  const known = !chosen || chosen.known || agreed;
  const complete = target ? hasAny(changes) : texts.name.trim() !== '';
  const submit = (): void => {
    if (mustAsk) {
      ask();
      return;
    }
    if (keys.isError) {
      // What the host did not answer is typed by now; what comes of that must be seen.
      keys.reset();
    }
    if (target) {
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
    choosing: chosen !== undefined,
    agreed,
    setAgreed,
    problems,
    failure,
    error: at ? null : failure,
    valid: mustAsk ? canAsk : !hasAny(own) && known && complete && canAsk,
    busy,
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
export function useLedFocus(form: IHostForm): RefObject<HTMLDivElement> {
  const frame = useRef<HTMLDivElement>(null);
  const { failure, choosing } = form;
  useEffect(() => {
    frame.current?.querySelector('input')?.focus();
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
