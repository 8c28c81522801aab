import { useState } from 'react';

import { textOf, type TargetKind, type Texts } from './fields';
import { useHostKeys } from './mutations';
import type { ShownKey } from './types';

/** The key of an SSH host: what it shows, and whether somebody agrees to it. Other kinds have none. */
export interface IHostKey {
  /** What the host shows; null before it was asked. */
  shown: readonly ShownKey[] | null;
  /** Asks the host; null where it cannot be asked yet. */
  ask: () => void;
  canAsk: boolean;
  /** Nobody knows the key of the host yet. */
  mustAsk: boolean;
  /** One of the keys that the host has shown is chosen. */
  choosing: boolean;
  agreed: boolean;
  setAgreed: (agreed: boolean) => void;
  /** The key that is chosen was agreed to, is known, or was typed. */
  trusted: boolean;
  error: Error | null;
  /** What the host did not answer is typed by now; what comes of that must be seen. */
  forgetError: () => void;
  busy: boolean;
  /** What else a change of these fields changes. */
  after: (part: Texts) => Texts;
}

const NO_KEY: Texts = { host_key: '' };

/** Asks a host for its key, and forgets what it showed when another host is named. */
export function useHostKey(form: {
  isNew: boolean;
  kind: TargetKind;
  texts: Texts;
  /** What is wrong by what is typed alone. */
  own: Readonly<Record<string, string>>;
  write: (part: Texts) => void;
}): IHostKey {
  const { isNew, kind, texts, own, write } = form;
  const [agreed, setAgreed] = useState(false);
  const keys = useHostKeys();
  const isHost = kind === 'ssh';
  const host = textOf(texts, 'host');
  const chosen = keys.data?.find(key => key.public_key === texts['host_key']);
  const ask = (): void =>
    keys.mutate(
      { host, port: Number(textOf(texts, 'port') || 22) },
      {
        onSuccess: found => {
          const first = found.find(key => key.known) ?? found[0];
          setAgreed(false);
          write({ host_key: first?.public_key ?? '' });
        }
      }
    );
  return {
    shown: keys.data ?? null,
    ask,
    canAsk: host !== '' && !own['port'] && !own['host'],
    mustAsk: isHost && isNew && textOf(texts, 'host_key') === '',
    choosing: chosen !== undefined,
    agreed,
    setAgreed,
    trusted: !chosen || chosen.known || agreed,
    error: keys.error,
    forgetError: () => {
      if (keys.isError) {
        keys.reset();
      }
    },
    busy: keys.isPending,
    after: part => {
      // Another host shows another key. One that was typed stays: the host is compared with it.
      const moved = 'host' in part || 'port' in part;
      if (moved || 'host_key' in part) {
        setAgreed(false);
      }
      if (moved) {
        keys.reset();
      }
      return moved && keys.data !== undefined ? NO_KEY : {};
    }
  };
}
