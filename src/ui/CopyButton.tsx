import { checkIcon, copyIcon, type LabIcon } from '@jupyterlab/ui-components';
import { useEffect, useState } from 'react';

import { copyText } from './clipboard';
import { IconButton } from './IconButton';
import { useTrans } from './trans';

export interface ICopyButtonProps {
  /** What is copied; a function is called at the click. */
  text: string | (() => string);
  /** What it copies, e.g. "Copy run id"; also the visible words with `withWord`. */
  label?: string;
  /** Another icon, where two copies stand side by side. */
  icon?: LabIcon;
  /** Shows words instead of the icon. */
  withWord?: boolean;
}

type State = 'idle' | 'done' | 'failed';

/** Copies text and says so for a moment, also to screen readers. */
export function CopyButton(props: ICopyButtonProps): JSX.Element {
  const { text, withWord, icon = copyIcon } = props;
  const trans = useTrans();
  const label = props.label ?? trans.__('Copy');
  const [state, setState] = useState<State>('idle');

  useEffect(() => {
    if (state === 'idle') {
      return;
    }
    const timer = window.setTimeout(() => setState('idle'), 1500);
    return () => window.clearTimeout(timer);
  }, [state]);

  const copy = async (): Promise<void> => {
    const done = await copyText(typeof text === 'function' ? text() : text);
    setState(done ? 'done' : 'failed');
  };
  const outcome = {
    idle: '',
    done: trans.__('Copied'),
    failed: trans.__('Copying is blocked by the browser')
  }[state];

  return (
    <span className="jp-mlws-copy">
      {withWord ? (
        <button
          type="button"
          className="jp-mlws-button"
          onClick={() => void copy()}
        >
          {outcome || label}
        </button>
      ) : (
        <IconButton
          icon={state === 'done' ? checkIcon : icon}
          label={outcome || label}
          onClick={() => void copy()}
        />
      )}
      <span className="jp-mlws-sr-only" role="status">
        {outcome}
      </span>
    </span>
  );
}
