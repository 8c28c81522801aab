import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { Form, TextField, useTrans } from '../../ui';

export interface IConfirmDeletionProps {
  /** What must be typed. */
  name: string;
  /** What goes, with its bytes. */
  text: string;
  onConfirm: () => Promise<void>;
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
      submitLabel={trans.__('Delete for ever')}
      valid={typed.trim() === name.trim()}
      busy={deletion.isPending}
      error={deletion.error}
      onCancel={onDone}
      onSubmit={() => deletion.mutate()}
    >
      <p className="jp-mlws-confirm-text">{text}</p>
      <TextField
        label={trans.__('Type “%1” to confirm', name)}
        value={typed}
        onChange={setTyped}
      />
    </Form>
  );
}
