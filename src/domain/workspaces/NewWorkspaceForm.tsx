import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { errorSentence, useTrans } from '../../ui';
import { isWorkspaceName } from './name';
import { workspaceKeys } from './queries';

/** Names a new workspace where the switcher stands. Enter makes it, Esc leaves. */
export function NewWorkspaceForm(props: {
  onDone: (name: string | null) => void;
}): JSX.Element {
  const { onDone } = props;
  const trans = useTrans();
  const api = useApi();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const create = useMutation({
    mutationFn: () => unwrap(api.POST('/workspaces', { body: { name } })),
    onSuccess: async workspace => {
      await client.invalidateQueries({ queryKey: workspaceKeys.all });
      onDone(workspace.name);
    }
  });
  const wrong = name !== '' && !isWorkspaceName(name);
  const problem = wrong
    ? trans.__('Letters, digits, “-” and “_”, at most 63.')
    : create.error && errorSentence(create.error, trans);
  return (
    // Esc bubbles up from the field.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form
      className="jp-mlws-new-workspace"
      aria-label={trans.__('Create workspace')}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        if (name && !wrong && !create.isPending) {
          create.mutate();
        }
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onDone(null);
        }
      }}
    >
      <input
        ref={input}
        className="jp-mlws-input"
        aria-label={trans.__('Name of the new workspace')}
        aria-invalid={problem ? true : undefined}
        placeholder={trans.__('Name of the new workspace')}
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <button
        type="submit"
        className="jp-mlws-button jp-mlws-button-primary"
        disabled={!name || wrong || create.isPending}
      >
        {trans.__('Create')}
      </button>
      <button
        type="button"
        className="jp-mlws-button"
        onClick={() => onDone(null)}
      >
        {trans.__('Cancel')}
      </button>
      {problem && (
        <div className="jp-mlws-field-error" role="alert">
          {problem}
        </div>
      )}
    </form>
  );
}
