import { useState } from 'react';

import { workspaceAddress } from '../../../lib/address';
import { DEFAULT_WORKSPACE } from '../../../lib/workspace';
import { ErrorNotice, RelativeTime, useOpenPage, useTrans } from '../../../ui';
import { SecretsSection } from '../../secrets';
import { contentsText, extraLabel } from '../format';
import { useArchiveWorkspace } from '../mutations';
import type { Workspace } from '../queries';
import { DeleteWorkspace } from './DeleteWorkspace';
import { EditWorkspace } from './EditWorkspace';
import { Resources } from './Resources';

export interface IWorkspaceDetailsProps {
  workspace: Workspace;
  onRenamed: (name: string) => void;
  onDeleted: () => void;
}

type Form = 'edit' | 'delete' | null;

/** One workspace: what it is, what can be done with it, and what it stands on. */
export function WorkspaceDetails(props: IWorkspaceDetailsProps): JSX.Element {
  const { workspace, onRenamed, onDeleted } = props;
  const { name, archived } = workspace;
  const [form, setForm] = useState<Form>(null);
  const archive = useArchiveWorkspace(name);
  const close = (): void => setForm(null);
  return (
    <>
      <header className="jp-mlws-run-header">
        <Title workspace={workspace} />
        <Actions
          workspace={workspace}
          busy={archive.isPending}
          form={form}
          onForm={setForm}
          onArchive={archive.mutate}
        />
      </header>
      {archive.error && <ErrorNotice error={archive.error} />}
      {form === 'edit' && (
        <EditWorkspace
          workspace={workspace}
          onDone={changed => {
            close();
            if (changed) {
              onRenamed(changed.name);
            }
          }}
        />
      )}
      {form === 'delete' && archived && (
        <DeleteWorkspace name={name} onClose={close} onDeleted={onDeleted} />
      )}
      <Facts workspace={workspace} />
      <SecretsSection key={name} workspace={name} readOnly={archived} />
      <Resources name={name} />
    </>
  );
}

function Title(props: { workspace: Workspace }): JSX.Element {
  const { workspace } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-run-title">
      <h2 className="jp-mlws-run-name jp-mlws-ellipsis" title={workspace.name}>
        {workspace.name}
      </h2>
      <span className="jp-mlws-muted jp-mlws-ellipsis">
        {extraLabel(workspace)}
      </span>
      {workspace.archived && (
        <span className="jp-mlws-badge">{trans.__('archived')}</span>
      )}
    </div>
  );
}

function Actions(props: {
  workspace: Workspace;
  busy: boolean;
  form: Form;
  onForm: (form: Form) => void;
  onArchive: (step: 'archive' | 'restore') => void;
}): JSX.Element {
  const { workspace, busy, form, onForm, onArchive } = props;
  const { name, archived } = workspace;
  const trans = useTrans();
  const open = useOpenPage();
  const toggle = (one: Form): void => onForm(form === one ? null : one);
  return (
    <div
      className="jp-mlws-run-actions"
      role="group"
      aria-label={trans.__('Actions')}
    >
      {!archived && open && (
        <button
          type="button"
          className="jp-mlws-button"
          title={trans.__('Show its experiments in the sidebar')}
          onClick={() => open(workspaceAddress(name))}
        >
          {trans.__('Show experiments')}
        </button>
      )}
      <button
        type="button"
        className="jp-mlws-button"
        aria-expanded={form === 'edit'}
        onClick={() => toggle('edit')}
      >
        {trans.__('Rename or describe…')}
      </button>
      {name !== DEFAULT_WORKSPACE && (
        <button
          type="button"
          className="jp-mlws-button"
          disabled={busy}
          title={
            archived
              ? trans.__('List it again; everything is as it was')
              : trans.__('Put it out of sight; nothing is lost')
          }
          onClick={() => onArchive(archived ? 'restore' : 'archive')}
        >
          {archived ? trans.__('Restore') : trans.__('Archive')}
        </button>
      )}
      {archived && (
        <button
          type="button"
          className="jp-mlws-button"
          aria-expanded={form === 'delete'}
          onClick={() => toggle('delete')}
        >
          {trans.__('Delete for ever…')}
        </button>
      )}
    </div>
  );
}

function Facts(props: { workspace: Workspace }): JSX.Element {
  const { workspace } = props;
  const trans = useTrans();
  const { created_at: at, created_by: by, description } = workspace;
  return (
    <section className="jp-mlws-card" aria-label={trans.__('About')}>
      <dl className="jp-mlws-about">
        <div>
          <dt>{trans.__('Holds')}</dt>
          <dd>{contentsText(workspace, trans)}</dd>
        </div>
        <div>
          <dt>{trans.__('Made')}</dt>
          <dd>
            <RelativeTime
              at={at}
              words={time => trans.__('%1 by %2', time, by)}
            />
          </dd>
        </div>
        {description && (
          <div className="jp-mlws-about-prose">
            <dt>{trans.__('About')}</dt>
            <dd className="jp-mlws-prose">{description}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}
