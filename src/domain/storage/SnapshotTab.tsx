import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../api/context';
import { EmptyState, ErrorNotice, Skeleton, useTrans } from '../../ui';
import { DiffView } from './DiffView';
import { FileBrowser } from './FileBrowser';
import type { NotebookRenderer } from './FilePreview';
import { fileQueries } from './queries';
import type { FileDiff } from './types';

export interface ISnapshotTabProps {
  runId: string;
  /** False where no snapshot was taken. */
  captured: boolean;
  /** Path that was run, shown first. */
  source: string;
  /** Paths that the snapshot left out. */
  notCaptured: readonly string[];
  notebook: NotebookRenderer;
}

/** The code exactly as it ran, and how the working copy differs from it now. */
export function SnapshotTab(props: ISnapshotTabProps): JSX.Element {
  const { runId, captured, source, notCaptured } = props;
  const trans = useTrans();
  const [comparing, setComparing] = useState(false);
  if (!captured) {
    return (
      <EmptyState
        text={trans.__(
          'No snapshot was taken of this run. Jobs keep their notebook and the files of its folder; notebooks that log to the workspace keep themselves.'
        )}
        code="mlws job create --notebook train.ipynb"
      />
    );
  }
  return (
    <div className="jp-mlws-column">
      <NotCaptured paths={notCaptured} />
      <FileBrowser
        label={trans.__('Files of the snapshot')}
        runId={runId}
        area="snapshot"
        notebook={props.notebook}
        initial={source.slice(source.lastIndexOf('/') + 1)}
        actions={entry =>
          entry.type === 'file' && (
            <button
              type="button"
              className="jp-mlws-toggle"
              aria-pressed={comparing}
              title={trans.__(
                'Show how the working copy differs from this file'
              )}
              onClick={() => setComparing(!comparing)}
            >
              {trans.__('Compare with working copy')}
            </button>
          )
        }
        view={entry =>
          comparing && entry.type === 'file' ? (
            <SnapshotDiff runId={runId} path={entry.path} />
          ) : null
        }
      />
    </div>
  );
}

function NotCaptured(props: { paths: readonly string[] }): JSX.Element | null {
  const { paths } = props;
  const trans = useTrans();
  if (paths.length === 0) {
    return null;
  }
  return (
    <details className="jp-mlws-details">
      <summary>
        {trans._n(
          '%1 path not captured',
          '%1 paths not captured',
          paths.length
        )}
      </summary>
      <p className="jp-mlws-hint">
        {trans.__(
          'Ignored files (by .gitignore, or because they are caches or large data) are not part of the snapshot. A job on this machine found links to the originals in their place and could read them; on another host, and in a kernel of another server, they were not there. What they held then is not kept.'
        )}
      </p>
      <ul className="jp-mlws-plain-list">
        {paths.map(path => (
          <li key={path} className="jp-mlws-ellipsis" title={path}>
            <code>{path}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

function SnapshotDiff(props: { runId: string; path: string }): JSX.Element {
  const { runId, path } = props;
  const trans = useTrans();
  const diff = useQuery(fileQueries.diff(useApi(), runId, path));
  if (diff.error) {
    return (
      <ErrorNotice
        title={trans.__('The comparison could not be made.')}
        error={diff.error}
        onRetry={() => void diff.refetch()}
      />
    );
  }
  if (!diff.data) {
    return <Skeleton shape="text" count={12} />;
  }
  return diff.data.unified ? (
    <DiffView
      label={trans.__('Changes of %1 since the run', path)}
      unified={diff.data.unified}
    />
  ) : (
    <DiffState state={diff.data.state} />
  );
}

function DiffState(props: { state: FileDiff['state'] }): JSX.Element {
  const trans = useTrans();
  const sentences: Record<FileDiff['state'], string> = {
    same: trans.__('The working copy is the same.'),
    changed: trans.__('The working copy is different.'),
    missing: trans.__('The file is no longer in the working copy.'),
    binary: trans.__('The file is binary, and different.')
  };
  return <p className="jp-mlws-hint">{sentences[props.state]}</p>;
}
