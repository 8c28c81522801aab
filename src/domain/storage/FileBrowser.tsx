import { downloadIcon } from '@jupyterlab/ui-components';
import { useState, type ReactNode } from 'react';

import { useUrl } from '../../api/context';
import { formatBytes } from '../../lib/format';
import { useTrans } from '../../ui';
import { FilePreview, type NotebookRenderer } from './FilePreview';
import { FileTree } from './FileTree';
import { downloadUrl, zipUrl } from './queries';
import { firstToShow } from './tree';
import type { FileArea, FileEntry } from './types';

export interface IFileBrowserProps {
  label: string;
  runId: string;
  area: FileArea;
  notebook: NotebookRenderer;
  /** Path to show first. */
  initial?: string;
  /** Folder that is open at first. */
  open?: string;
  /** Stands above the tree. */
  head?: ReactNode;
  /** More buttons for a file. */
  actions?: (entry: FileEntry) => ReactNode;
  /** Another view than the preview; null is the preview. */
  view?: (entry: FileEntry) => ReactNode | null;
}

/** A tree on the left, the file on the right; one above the other where it is narrow. */
export function FileBrowser(props: IFileBrowserProps): JSX.Element {
  const { label, runId, area, initial } = props;
  const trans = useTrans();
  const [entry, setEntry] = useState<FileEntry | null>(null);
  return (
    <div className="jp-mlws-files">
      <div className="jp-mlws-files-tree">
        <div className="jp-mlws-toolbar jp-mlws-sticky">
          <span className="jp-mlws-toolbar-text jp-mlws-ellipsis">{label}</span>
          {props.head}
        </div>
        <FileTree
          label={label}
          runId={runId}
          area={area}
          initialOpen={props.open}
          selected={entry?.path ?? null}
          onSelect={setEntry}
          onLoaded={entries => setEntry(firstToShow(entries, initial))}
        />
      </div>
      <section
        className="jp-mlws-files-view"
        aria-label={entry?.path ?? trans.__('File')}
      >
        {entry ? (
          <OpenEntry key={entry.path} {...props} entry={entry} />
        ) : (
          <p className="jp-mlws-hint">{trans.__('Choose a file to see it.')}</p>
        )}
      </section>
    </div>
  );
}

function OpenEntry(
  props: IFileBrowserProps & { entry: FileEntry }
): JSX.Element {
  const { entry, runId, area, actions, view } = props;
  const other = view?.(entry) ?? null;
  return (
    <>
      <div className="jp-mlws-toolbar">
        <span
          className="jp-mlws-toolbar-text jp-mlws-ellipsis"
          title={entry.path}
        >
          {entry.path}
        </span>
        {entry.type === 'file' && (
          <span className="jp-mlws-muted">{formatBytes(entry.size)}</span>
        )}
        {actions?.(entry)}
        <DownloadLink runId={runId} area={area} entry={entry} />
      </div>
      <div className="jp-mlws-file">{other ?? <EntryBody {...props} />}</div>
    </>
  );
}

function EntryBody(
  props: IFileBrowserProps & { entry: FileEntry }
): JSX.Element {
  const { entry, runId, area, notebook } = props;
  const trans = useTrans();
  if (entry.type === 'file') {
    return (
      <FilePreview
        runId={runId}
        area={area}
        path={entry.path}
        notebook={notebook}
      />
    );
  }
  return (
    <p className="jp-mlws-hint">
      {entry.type === 'folder'
        ? trans.__('A folder of %1.', formatBytes(entry.size))
        : trans.__(
            'Not captured: a link to the original at %1.',
            entry.target ?? '?'
          )}
    </p>
  );
}

/** Downloads a file, or a folder of outputs as a zip. */
function DownloadLink(props: {
  runId: string;
  area: FileArea;
  entry: FileEntry;
}): JSX.Element | null {
  const { runId, area, entry } = props;
  const trans = useTrans();
  const url = useUrl();
  if (
    entry.type === 'link' ||
    (entry.type === 'folder' && area !== 'artifacts')
  ) {
    return null;
  }
  const label =
    entry.type === 'folder'
      ? trans.__('Download %1 as zip', entry.path)
      : trans.__('Download %1', entry.path);
  return (
    <a
      className="jp-mlws-icon-button"
      href={
        entry.type === 'folder'
          ? zipUrl(url, runId, entry.path)
          : downloadUrl(url, runId, area, entry.path)
      }
      download
      aria-label={label}
      title={label}
    >
      <downloadIcon.react tag="span" aria-hidden="true" />
    </a>
  );
}
