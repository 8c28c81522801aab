import { useState } from 'react';

import { randomId } from '../lib/randomId';

/** Makes the Idempotency-Keys of one button or form. */
export interface IRequestKey {
  /** The key of this body: the same for the same body, until it is `done`. */
  of: (body: unknown) => string;
  /** It was answered: the same body is another wish from now on. */
  done: () => void;
}

/** So that a second try after a lost answer gives what the first one made, and not another. */
export function useRequestKey(): IRequestKey {
  const [key] = useState<IRequestKey>(() => {
    let last = { text: '', key: '' };
    return {
      of: body => {
        const text = JSON.stringify(body);
        if (text !== last.text) {
          last = { text, key: randomId() };
        }
        return last.key;
      },
      done: () => {
        last = { text: '', key: '' };
      }
    };
  });
  return key;
}
