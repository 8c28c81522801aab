import { useEffect, useRef, useState } from 'react';

import { ApiError } from '../../../api/errors';
import { Form, TextField, useFocusBack, useTrans } from '../../../ui';
import { nameProblem, useRecreateEnvironment } from '../../environments';

/** Makes an environment of what a run ran in: its packages with their versions, for the same Python. */
export function RecreateEnvironment(props: { runId: string }): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const recreate = useRecreateEnvironment(props.runId);
  const [button, focusButton] = useFocusBack<HTMLButtonElement>();
  const close = (): void => {
    setOpen(false);
    focusButton();
  };
  if (open) {
    return <RecreateForm recreate={recreate} onClose={close} />;
  }
  return (
    <div className="jp-mlws-recreate">
      <button
        ref={button}
        type="button"
        className="jp-mlws-button jp-mlws-button-small"
        title={trans.__(
          'An environment of the workspace with the packages of this run'
        )}
        onClick={() => {
          recreate.reset();
          setOpen(true);
        }}
      >
        {trans.__('Recreate environment…')}
      </button>
      {recreate.data && (
        <p className="jp-mlws-muted jp-mlws-environment-text" role="status">
          {trans.__(
            '%1:%2 is among the environments of ML Compute; it is built when the first job needs it.',
            recreate.data.name,
            recreate.data.version
          )}
        </p>
      )}
    </div>
  );
}

function RecreateForm(props: {
  recreate: ReturnType<typeof useRecreateEnvironment>;
  onClose: () => void;
}): JSX.Element {
  const { recreate, onClose } = props;
  const trans = useTrans();
  const [name, setName] = useState('');
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => fields.current?.querySelector('input')?.focus(), []);
  const refused =
    recreate.error instanceof ApiError && recreate.error.field === 'name'
      ? recreate.error.message
      : undefined;
  const problem = nameProblem(name, trans);
  return (
    <div ref={fields}>
      <Form
        label={trans.__('Recreate environment')}
        submitLabel={trans.__('Create')}
        busy={recreate.isPending}
        valid={name.trim() !== '' && !problem}
        error={refused ? undefined : recreate.error}
        onCancel={onClose}
        onSubmit={() => recreate.mutate(name.trim(), { onSuccess: onClose })}
      >
        <TextField
          label={trans.__('Name of the environment')}
          help={trans.__('A name that is there gets a further version.')}
          error={problem ?? refused}
          value={name}
          onChange={text => {
            setName(text);
            recreate.reset();
          }}
        />
      </Form>
    </div>
  );
}
