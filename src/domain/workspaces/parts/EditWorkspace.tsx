import { useState } from 'react';

import { ApiError } from '../../../api/errors';
import { DEFAULT_WORKSPACE } from '../../../lib/workspace';
import { Form, TextField, useTrans } from '../../../ui';
import { useUpdateWorkspace } from '../mutations';
import { isWorkspaceName } from '../name';
import type { Workspace } from '../queries';

/** Name, label and description, edited in the page. */
export function EditWorkspace(props: {
  workspace: Workspace;
  /** With the workspace as it is now; null where nothing was changed. */
  onDone: (changed: Workspace | null) => void;
}): JSX.Element {
  const { onDone } = props;
  const trans = useTrans();
  // As it was when the form was opened: what others changed since must not be written over.
  const [workspace] = useState(props.workspace);
  const [name, setName] = useState(workspace.name);
  const [label, setLabel] = useState(workspace.display_name);
  const [description, setDescription] = useState(workspace.description);
  const update = useUpdateWorkspace(workspace, onDone);
  const isDefault = workspace.name === DEFAULT_WORKSPACE;
  const wrong = !isWorkspaceName(name);
  const refused =
    update.error instanceof ApiError && update.error.field === 'name'
      ? update.error
      : null;
  const changes = {
    ...(name !== workspace.name && { name }),
    ...(label !== workspace.display_name && { display_name: label }),
    ...(description !== workspace.description && { description })
  };
  const submit = (): void => {
    if (Object.keys(changes).length === 0) {
      onDone(null);
    } else {
      update.mutate(changes);
    }
  };
  return (
    <section className="jp-mlws-card">
      <Form
        label={trans.__('Rename or describe the workspace')}
        submitLabel={trans.__('Save')}
        valid={!wrong}
        busy={update.isPending}
        error={refused ? undefined : update.error}
        onCancel={() => onDone(null)}
        onSubmit={submit}
      >
        <TextField
          label={trans.__('Name')}
          help={
            isDefault
              ? trans.__('The default workspace keeps its name.')
              : trans.__(
                  'It stands in addresses and commands: those that name it must follow.'
                )
          }
          error={
            wrong
              ? trans.__('Letters, digits, “-” and “_”, at most 63.')
              : refused?.message
          }
          disabled={isDefault}
          value={name}
          onChange={next => {
            setName(next);
            update.reset();
          }}
        />
        <TextField
          label={trans.__('Label')}
          help={trans.__('Shown beside the name.')}
          value={label}
          onChange={setLabel}
        />
        <TextField
          label={trans.__('Description')}
          rows={3}
          value={description}
          onChange={setDescription}
        />
      </Form>
    </section>
  );
}
