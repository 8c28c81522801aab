import { addIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { useApi } from '../../api/context';
import { DEFAULT_WORKSPACE } from '../../lib/workspace';
import { ErrorNotice, Skeleton, useTrans } from '../../ui';
import { NewWorkspaceForm } from './NewWorkspaceForm';
import { WorkspaceDetails } from './parts/WorkspaceDetails';
import { WorkspaceList } from './parts/WorkspaceList';
import { workspaceQueries, type Workspace } from './queries';

export interface IWorkspacesPanelProps {
  /** Name of the workspace to show. */
  name: string;
  /** Tells which one is shown, so that it is restored. */
  onShown: (name: string) => void;
}

/** All workspaces at the left, one of them at the right: its name, what it holds, what it stands on. */
export function WorkspacesPanel(props: IWorkspacesPanelProps): JSX.Element {
  const { name, onShown } = props;
  const trans = useTrans();
  const all = useQuery(workspaceQueries.all(useApi()));
  const [selected, setSelected] = useState(name);
  useEffect(() => setSelected(name), [name]);
  useEffect(() => onShown(selected), [onShown, selected]);
  const shown = all.data?.find(workspace => workspace.name === selected);
  return (
    <section className="jp-mlws-workspaces" aria-label={trans.__('Workspaces')}>
      <div className="jp-mlws-workspaces-split">
        <div className="jp-mlws-workspaces-list">
          <ListHead onCreated={setSelected} />
          {all.data ? (
            <WorkspaceList
              workspaces={all.data}
              selected={selected}
              onSelect={setSelected}
            />
          ) : all.error ? (
            <ErrorNotice
              title={trans.__('The workspaces could not be loaded.')}
              error={all.error}
              onRetry={() => void all.refetch()}
            />
          ) : (
            <Skeleton count={4} />
          )}
        </div>
        <div className="jp-mlws-workspaces-view">
          {shown ? (
            <WorkspaceDetails
              key={shown.name}
              workspace={shown}
              // Who has gone on to another one meanwhile stays there.
              onRenamed={next =>
                setSelected(was => (was === shown.name ? next : was))
              }
              onDeleted={() => setSelected(DEFAULT_WORKSPACE)}
            />
          ) : (
            <Missing workspaces={all.data} name={selected} />
          )}
        </div>
      </div>
    </section>
  );
}

function Missing(props: {
  workspaces: readonly Workspace[] | undefined;
  name: string;
}): JSX.Element {
  const trans = useTrans();
  return props.workspaces ? (
    <p className="jp-mlws-hint" role="status">
      {trans.__('There is no workspace “%1”.', props.name)}
    </p>
  ) : (
    <Skeleton shape="block" height={240} />
  );
}

function ListHead(props: { onCreated: (name: string) => void }): JSX.Element {
  const trans = useTrans();
  const [creating, setCreating] = useState(false);
  return (
    <div className="jp-mlws-toolbar">
      {creating ? (
        <NewWorkspaceForm
          onDone={name => {
            setCreating(false);
            if (name) {
              props.onCreated(name);
            }
          }}
        />
      ) : (
        <>
          <h2 className="jp-mlws-toolbar-text">{trans.__('Workspaces')}</h2>
          <button
            type="button"
            className="jp-mlws-button jp-mlws-button-icon"
            onClick={() => setCreating(true)}
          >
            <addIcon.react tag="span" aria-hidden="true" />
            {trans.__('New workspace')}
          </button>
        </>
      )}
    </div>
  );
}
