import { undoIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { useApi } from '../../../api/context';
import { ErrorNotice, IconButton, Skeleton, useTrans } from '../../../ui';
import { useArchiveEnvironment } from '../mutations';
import { environmentQueries } from '../queries';

/** The archived environments of a workspace, each with a way back; asked for when the list is first opened. */
export function ArchivedList(props: { workspace: string }): JSX.Element {
  const { workspace } = props;
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const summary = useRef<HTMLElement>(null);
  return (
    <details
      className="jp-mlws-more-options"
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary ref={summary}>{trans.__('Archived')}</summary>
      {open && (
        // The button that was pressed goes with its line.
        <Archived
          workspace={workspace}
          onRestored={() => summary.current?.focus()}
        />
      )}
    </details>
  );
}

function Archived(props: {
  workspace: string;
  onRestored: () => void;
}): JSX.Element {
  const { workspace, onRestored } = props;
  const trans = useTrans();
  const list = useQuery(environmentQueries.list(useApi(), workspace, true));
  const change = useArchiveEnvironment(workspace);
  if (!list.data) {
    return list.error ? (
      <ErrorNotice
        title={trans.__('The archived environments could not be loaded.')}
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    ) : (
      <Skeleton count={1} />
    );
  }
  return (
    <>
      {change.error && <ErrorNotice error={change.error} />}
      {list.data.length === 0 && (
        <p className="jp-mlws-muted jp-mlws-environment-text">
          {trans.__(
            'None. New jobs cannot name an archived one; jobs that have it keep it.'
          )}
        </p>
      )}
      <ul className="jp-mlws-plain-list">
        {list.data.map(({ name, versions }) => (
          <li key={name} className="jp-mlws-environment-line">
            <span
              className="jp-mlws-environment-name jp-mlws-ellipsis"
              title={name}
            >
              {name}{' '}
              <span className="jp-mlws-muted">
                {trans._n('%1 version', '%1 versions', versions)}
              </span>
            </span>
            <IconButton
              icon={undoIcon}
              label={trans.__('Restore %1', name)}
              disabled={change.isPending}
              onClick={() =>
                change.mutate(
                  { name, verb: 'restore' },
                  { onSuccess: onRestored }
                )
              }
            />
          </li>
        ))}
      </ul>
    </>
  );
}
