import { useEffect, useRef, type RefObject } from 'react';

/**
 * Gives the focus to an element that is about to come back: the button that a field had taken the place of.
 *
 * @returns The element's ref, and a function that wishes for the focus.
 */
export function useFocusBack<T extends HTMLElement>(): [
  RefObject<T>,
  () => void
] {
  const ref = useRef<T>(null);
  const wished = useRef(false);
  useEffect(() => {
    if (wished.current && ref.current) {
      wished.current = false;
      ref.current.focus();
    }
  });
  return [
    ref,
    () => {
      wished.current = true;
    }
  ];
}
