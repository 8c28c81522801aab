import { closeIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';
import { useState, type KeyboardEvent } from 'react';

import { useApi } from '../../../api/context';
import { accessQueries } from '../../access';
import { ErrorNotice, IconButton, Skeleton, useTrans } from '../../../ui';
import { useSetAlias } from '../mutations';
import { environmentQueries } from '../queries';
import type { EnvironmentAlias } from '../types';

/** What job files of elsewhere call environments, and what that means on this server; closed until somebody asks. */
export function AliasTable(): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  return (
    <details
      className="jp-mlws-more-options"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Names from elsewhere')}</summary>
      {open && <Aliases />}
    </details>
  );
}

function Aliases(): JSX.Element {
  const trans = useTrans();
  const api = useApi();
  const aliases = useQuery(environmentQueries.aliases(api));
  // Who is bound to one workspace may not change what counts for all.
  const caller = useQuery(accessQueries.caller(api));
  const may = caller.data?.workspace === null;
  const found = aliases.data;
  if (!found) {
    return aliases.error ? (
      <ErrorNotice
        title={trans.__('The aliases could not be read.')}
        error={aliases.error}
        onRetry={() => void aliases.refetch()}
      />
    ) : (
      <Skeleton count={2} />
    );
  }
  return (
    <div className="jp-mlws-environment-details">
      <p className="jp-mlws-muted jp-mlws-environment-text">
        {trans.__(
          'What job files of elsewhere call an environment, and which one that is here, in all workspaces. “*” stands for any text.'
        )}
      </p>
      {found.length > 0 && (
        <table className="jp-mlws-facts jp-mlws-aliases">
          <thead>
            <tr>
              <th scope="col">{trans.__('Elsewhere')}</th>
              <th scope="col">{trans.__('Here')}</th>
              {may && <th className="jp-mlws-facts-action" />}
            </tr>
          </thead>
          <tbody>
            {found.map(one => (
              <AliasRow key={one.alias} alias={one} may={may} />
            ))}
          </tbody>
        </table>
      )}
      {may && <NewAlias />}
    </div>
  );
}

/** One alias, to change where it stands: Enter, or leaving the field, sends it; Escape takes it back. */
function AliasRow(props: {
  alias: EnvironmentAlias;
  may: boolean;
}): JSX.Element {
  const { may } = props;
  const { alias, environment, from_settings: fixed } = props.alias;
  const trans = useTrans();
  const set = useSetAlias();
  const [draft, setDraft] = useState<string | null>(null);
  const send = (): void => {
    const next = draft?.trim();
    if (next && next !== environment) {
      set.mutate(
        { alias, environment: next },
        { onSuccess: () => setDraft(null) }
      );
    } else {
      setDraft(null);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      send();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      setDraft(null);
      set.reset();
    }
  };
  return (
    <>
      <tr>
        <th scope="row" title={alias}>
          <code>{alias}</code>
        </th>
        <td>
          {may ? (
            <input
              type="text"
              className="jp-mlws-input"
              aria-label={trans.__('What %1 means here', alias)}
              aria-invalid={set.error !== null || undefined}
              spellCheck={false}
              disabled={set.isPending}
              value={draft ?? environment}
              onChange={event => setDraft(event.target.value)}
              onBlur={send}
              onKeyDown={onKeyDown}
            />
          ) : (
            environment
          )}
        </td>
        {may && (
          <td className="jp-mlws-facts-action">
            <IconButton
              icon={closeIcon}
              label={
                fixed
                  ? trans.__('%1 stands in the server’s settings', alias)
                  : trans.__('Remove %1', alias)
              }
              disabled={fixed || set.isPending}
              onClick={() => set.mutate({ alias, environment: null })}
            />
          </td>
        )}
      </tr>
      {set.error && (
        <tr>
          <td colSpan={3} className="jp-mlws-alias-error">
            <span className="jp-mlws-field-error" role="alert">
              {set.error.message}
            </span>
          </td>
        </tr>
      )}
    </>
  );
}

function NewAlias(): JSX.Element {
  const trans = useTrans();
  const set = useSetAlias();
  const [alias, setAlias] = useState('');
  const [environment, setEnvironment] = useState('');
  const ready = alias.trim() !== '' && environment.trim() !== '';
  return (
    <form
      className="jp-mlws-new-alias"
      aria-label={trans.__('New alias')}
      onSubmit={event => {
        event.preventDefault();
        set.mutate(
          { alias: alias.trim(), environment: environment.trim() },
          {
            onSuccess: () => {
              setAlias('');
              setEnvironment('');
            }
          }
        );
      }}
    >
      <input
        type="text"
        className="jp-mlws-input"
        aria-label={trans.__('Name elsewhere')}
        placeholder={trans.__('azureml:sklearn-1.5@latest')}
        spellCheck={false}
        value={alias}
        onChange={event => setAlias(event.target.value)}
      />
      <input
        type="text"
        className="jp-mlws-input"
        aria-label={trans.__('Environment here')}
        placeholder={trans.__('sklearn')}
        spellCheck={false}
        value={environment}
        onChange={event => setEnvironment(event.target.value)}
      />
      <button
        type="submit"
        className="jp-mlws-button jp-mlws-button-small"
        disabled={!ready || set.isPending}
      >
        {trans.__('Add')}
      </button>
      {set.error && (
        <span className="jp-mlws-field-error" role="alert">
          {set.error.message}
        </span>
      )}
    </form>
  );
}
