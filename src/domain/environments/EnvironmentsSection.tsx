import { addIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../api/context';
import {
  EmptyState,
  ErrorNotice,
  IconButton,
  Skeleton,
  useTrans
} from '../../ui';
import { useArchiveEnvironment } from './mutations';
import { AliasTable } from './parts/AliasTable';
import { ArchivedList } from './parts/ArchivedList';
import { EnvironmentForm } from './parts/EnvironmentForm';
import { EnvironmentRow } from './parts/EnvironmentRow';
import { environmentQueries } from './queries';
import type { Environment, EnvironmentVersion } from './types';

/** The form that is open: of a new environment, or of a further version. */
type OpenForm = { from: EnvironmentVersion | null } | null;

/** The environments of a workspace: what jobs run in. */
export function EnvironmentsSection(props: { workspace: string }): JSX.Element {
  const { workspace } = props;
  const trans = useTrans();
  const list = useQuery(environmentQueries.list(useApi(), workspace));
  const [form, setForm] = useState<OpenForm>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const archive = useArchiveEnvironment(workspace);
  const title = trans.__('Environments');
  const found = list.data;
  return (
    <section className="jp-mlws-target" aria-label={title}>
      <header className="jp-mlws-target-head jp-mlws-environments-head">
        <h3>{title}</h3>
        <span
          className="jp-mlws-muted jp-mlws-ellipsis"
          title={trans.__('Of the workspace %1', workspace)}
        >
          {workspace}
        </span>
        <IconButton
          icon={addIcon}
          label={trans.__('New environment…')}
          onClick={() => setForm({ from: null })}
        />
      </header>
      {form && (
        <EnvironmentForm
          key={form.from ? `${form.from.name}:${form.from.version}` : ''}
          workspace={workspace}
          from={form.from}
          onDone={made => {
            setForm(null);
            setOpened(made.name);
          }}
          onCancel={() => setForm(null)}
        />
      )}
      <ArchiveNotice change={archive} />
      {list.error && !found && (
        <ErrorNotice
          title={trans.__('The environments could not be loaded.')}
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      )}
      {list.isPending && <Skeleton count={2} />}
      {found?.length === 0 && !form && (
        <NoEnvironments onNew={() => setForm({ from: null })} />
      )}
      {found && found.length > 0 && (
        <EnvironmentList
          workspace={workspace}
          environments={found}
          opened={opened}
          onOpen={setOpened}
          onArchive={name => archive.mutate({ name, verb: 'archive' })}
          onNewVersion={from => setForm({ from })}
        />
      )}
      {found && <ArchivedList workspace={workspace} />}
      <AliasTable />
    </section>
  );
}

/** What was archived, with a way back. */
function ArchiveNotice(props: {
  change: ReturnType<typeof useArchiveEnvironment>;
}): JSX.Element | null {
  const { error, isSuccess, variables, mutate, reset } = props.change;
  const trans = useTrans();
  if (error) {
    return <ErrorNotice error={error} />;
  }
  return isSuccess && variables.verb === 'archive' ? (
    <p className="jp-mlws-environment-text" role="status">
      {trans.__('%1 is archived.', variables.name)}{' '}
      <button
        type="button"
        className="jp-mlws-text-button"
        onClick={() => mutate({ name: variables.name, verb: 'restore' })}
      >
        {trans.__('Undo')}
      </button>{' '}
      <button type="button" className="jp-mlws-text-button" onClick={reset}>
        {trans.__('Close')}
      </button>
    </p>
  ) : null;
}

function NoEnvironments(props: { onNew: () => void }): JSX.Element {
  const trans = useTrans();
  return (
    <EmptyState
      text={trans.__(
        'Jobs run in the server’s own Python, or in the kernel of their notebook, until you give them packages of their own.'
      )}
      action={{ label: trans.__('New environment…'), onClick: props.onNew }}
      code="mlws environment create sklearn --requirements requirements.txt --build"
    />
  );
}

function EnvironmentList(props: {
  workspace: string;
  environments: readonly Environment[];
  opened: string | null;
  onOpen: (name: string | null) => void;
  onArchive: (name: string) => void;
  onNewVersion: (from: EnvironmentVersion) => void;
}): JSX.Element {
  const { workspace, environments, opened, onOpen } = props;
  return (
    <ul className="jp-mlws-plain-list">
      {environments.map(one => (
        <EnvironmentRow
          key={one.name}
          workspace={workspace}
          environment={one}
          open={one.name === opened}
          onToggle={() => onOpen(one.name === opened ? null : one.name)}
          onArchive={() => props.onArchive(one.name)}
          onNewVersion={props.onNewVersion}
        />
      ))}
    </ul>
  );
}
