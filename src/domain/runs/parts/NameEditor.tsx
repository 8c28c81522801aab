import { editIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';

import { IconButton, useFocusBack, useTrans } from '../../../ui';

/** The run's name; a double click or the pencil makes it a field. Enter keeps, Escape leaves it. */
export function NameEditor(props: {
  name: string;
  onRename: (name: string) => void;
}): JSX.Element {
  const { name, onRename } = props;
  const trans = useTrans();
  const [draft, setDraft] = useState<string | null>(null);
  const [pencil, focusPencil] = useFocusBack<HTMLButtonElement>();
  const keep = (): void => {
    const next = draft?.trim();
    setDraft(null);
    if (next && next !== name) {
      onRename(next);
    }
  };
  return draft === null ? (
    <>
      {/* The pencil beside it does the same for the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <h2
        className="jp-mlws-run-name jp-mlws-ellipsis"
        title={name}
        onDoubleClick={() => setDraft(name)}
      >
        {name}
      </h2>
      <IconButton
        ref={pencil}
        icon={editIcon}
        label={trans.__('Rename')}
        onClick={() => setDraft(name)}
      />
    </>
  ) : (
    <input
      type="text"
      className="jp-mlws-input jp-mlws-run-name-input"
      aria-label={trans.__('Name of the run')}
      maxLength={250}
      // It appears because somebody asked to rename.
      // eslint-disable-next-line jsx-a11y/no-autofocus
      autoFocus
      value={draft}
      onFocus={event => event.target.select()}
      onChange={event => setDraft(event.target.value)}
      onBlur={keep}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          // The pencil has the focus before the key press comes to its end, and would be pressed by it.
          event.preventDefault();
          focusPencil();
          keep();
        } else if (event.key === 'Escape') {
          event.stopPropagation();
          focusPencil();
          setDraft(null);
        }
      }}
    />
  );
}
