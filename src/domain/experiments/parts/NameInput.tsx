import { useEffect, useRef, useState } from 'react';

import { errorSentence, useTrans } from '../../../ui';

export interface INameInputProps {
  name: string;
  /** What is named, for screen readers. */
  label: string;
  save: (name: string) => Promise<unknown>;
  onDone: () => void;
}

/** A name, edited where it stands. Enter saves, Esc leaves it as it was. */
export function NameInput(props: INameInputProps): JSX.Element {
  const { name, label, save, onDone } = props;
  const trans = useTrans();
  const [text, setText] = useState(name);
  const [error, setError] = useState<unknown>(null);
  const input = useRef<HTMLInputElement>(null);
  const busy = useRef(false);
  useEffect(() => input.current?.select(), []);

  /** Leaves the field; its row has the focus then, unless somebody went elsewhere. */
  const leave = (): void => {
    busy.current = true;
    if (document.activeElement === input.current) {
      input.current?.closest<HTMLElement>('[role=treeitem]')?.focus();
    }
    onDone();
  };
  const finish = async (): Promise<void> => {
    const wanted = text.trim();
    if (busy.current) {
      return;
    }
    if (!wanted || wanted === name) {
      leave();
      return;
    }
    busy.current = true;
    try {
      await save(wanted);
      leave();
    } catch (reason) {
      busy.current = false;
      setError(reason);
    }
  };

  return (
    <span className="jp-mlws-name-input">
      <input
        ref={input}
        aria-label={label}
        aria-invalid={error ? true : undefined}
        value={text}
        onChange={event => {
          setText(event.target.value);
          setError(null);
        }}
        onBlur={() => void finish()}
        onClick={event => event.stopPropagation()}
        onKeyDown={event => {
          event.stopPropagation();
          if (event.key === 'Enter') {
            void finish();
          } else if (event.key === 'Escape') {
            leave();
          }
        }}
      />
      {error !== null && (
        <span className="jp-mlws-name-error" role="alert">
          {errorSentence(error, trans)}
        </span>
      )}
    </span>
  );
}
