import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { Form, TextField } from './form';
import { useTrans } from './trans';

export interface IConfirmDeletionProps {
  /** What must be typed; null where nothing is lost that was worth the typing. */
  name: string | null;
  /** What goes, with its bytes. */
  text: string;
  onConfirm: () => Promise<unknown>;
  onDone: () => void;
}

/** Asks for the name of what nothing can bring back. */
export function ConfirmDeletion(props: IConfirmDeletionProps): JSX.Element {
  const { name, text, onConfirm, onDone } = props;
  const trans = useTrans();
  const [typed, setTyped] = useState('');
  const deletion = useMutation({ mutationFn: onConfirm, onSuccess: onDone });
  return (
    <Form
      label={trans.__('Delete for ever')}
      danger
      submitLabel={trans.__('Delete for ever')}
      valid={name === null || typed.trim() === name.trim()}
      busy={deletion.isPending}
      error={deletion.error}
      onCancel={onDone}
      onSubmit={() => deletion.mutate()}
    >
      <p className="jp-mlws-confirm-text">{text}</p>
      {name !== null && (
        <TextField
          label={trans.__('Type “%1” to confirm', name)}
          value={typed}
          onChange={setTyped}
        />
      )}
    </Form>
  );
}
