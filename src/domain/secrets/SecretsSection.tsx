import { addIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../api/context';
import {
  ConfirmDeletion,
  ErrorNotice,
  IconButton,
  Skeleton,
  useTrans
} from '../../ui';
import { deletionText } from './format';
import { useDeleteSecret } from './mutations';
import { secretQueries, type Secret } from './queries';
import { SecretForm } from './SecretForm';
import { SecretTable } from './SecretTable';

type Open =
  { form: 'new' } | { form: 'replace' | 'delete'; secret: Secret } | null;

/** The secrets of a workspace: set, replaced, deleted, and never shown. */
export function SecretsSection(props: {
  workspace: string;
  /** An archived workspace takes nothing new. */
  readOnly: boolean;
}): JSX.Element {
  const { workspace, readOnly } = props;
  const trans = useTrans();
  const secrets = useQuery(secretQueries.list(useApi(), workspace));
  const [open, setOpen] = useState<Open>(null);
  const title = trans.__('Secrets');
  const close = (): void => setOpen(null);
  return (
    <section className="jp-mlws-card" aria-label={title}>
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        {!readOnly && (
          <IconButton
            icon={addIcon}
            label={trans.__('New secret…')}
            onClick={() => setOpen({ form: 'new' })}
          />
        )}
      </header>
      <OpenForm workspace={workspace} open={open} onDone={close} />
      {secrets.error && !secrets.data ? (
        <ErrorNotice
          title={trans.__('The secrets could not be read.')}
          error={secrets.error}
          onRetry={() => void secrets.refetch()}
        />
      ) : !secrets.data ? (
        <Skeleton count={2} />
      ) : secrets.data.secrets.length > 0 ? (
        <SecretTable
          secrets={secrets.data.secrets}
          readOnly={readOnly}
          onReplace={secret => setOpen({ form: 'replace', secret })}
          onDelete={secret => setOpen({ form: 'delete', secret })}
        />
      ) : (
        <p className="jp-mlws-muted">
          {trans.__(
            'Passwords and tokens for jobs, stored encrypted. A job is given one as a variable; its log and notebook show *** instead.'
          )}
        </p>
      )}
    </section>
  );
}

function OpenForm(props: {
  workspace: string;
  open: Open;
  onDone: () => void;
}): JSX.Element | null {
  const { workspace, open, onDone } = props;
  const trans = useTrans();
  const remove = useDeleteSecret(workspace);
  if (open === null) {
    return null;
  }
  if (open.form === 'delete') {
    const { secret } = open;
    return (
      <ConfirmDeletion
        name={secret.waiting.length > 0 ? secret.name : null}
        text={deletionText(secret, trans)}
        onConfirm={() => remove(secret.name)}
        onDone={onDone}
      />
    );
  }
  const name = open.form === 'replace' ? open.secret.name : null;
  return (
    <SecretForm
      key={name ?? ''}
      workspace={workspace}
      name={name}
      onDone={onDone}
    />
  );
}
