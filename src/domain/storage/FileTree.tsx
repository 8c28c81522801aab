import { fileIcon, folderIcon, linkIcon } from '@jupyterlab/ui-components';
import { useQueries, useQuery } from '@tanstack/react-query';
import {
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent
} from 'react';

import { useApi } from '../../api/context';
import { formatBytes } from '../../lib/format';
import { ErrorNotice, Skeleton, useTrans } from '../../ui';
import { fileQueries } from './queries';
import { treeAction, treeRows, type ITreeRow } from './tree';
import type { FileArea, FileEntry } from './types';

const ICONS = { file: fileIcon, folder: folderIcon, link: linkIcon };

export interface IFileTreeProps {
  /** What the tree is of, for screen readers. */
  label: string;
  runId: string;
  area: FileArea;
  /** Path of the entry that is shown beside the tree. */
  selected: string | null;
  onSelect: (entry: FileEntry) => void;
  /** Folder that is open at first. */
  initialOpen?: string;
  /** Called once, with what is seen at first. */
  onLoaded?: (entries: readonly FileEntry[]) => void;
}

interface ITreeData {
  rows: ITreeRow[];
  /** The top is not there yet. */
  pending: boolean;
  settled: boolean;
  truncated: boolean;
  error: unknown;
  retry: () => void;
}

/** The folders that are open, fetched one by one. */
function useTree(
  runId: string,
  area: FileArea,
  open: ReadonlySet<string>
): ITreeData {
  const api = useApi();
  const top = useQuery(fileQueries.list(api, runId, area, '')).data?.entries;
  // What is to be open at first may not be there.
  const paths = useMemo(
    () => ['', ...[...open].filter(path => isBelow(path, top ?? []))],
    [open, top]
  );
  const results = useQueries({
    queries: paths.map(path => fileQueries.list(api, runId, area, path))
  });
  const children = new Map(
    paths.map((path, i) => [path, results[i]?.data?.entries ?? []])
  );
  const failed = results.find(result => result.error);
  return {
    rows: treeRows(children, open),
    pending: results[0]?.isPending ?? true,
    // Also the folders that are open at first.
    settled: results.every(result => !result.isPending),
    truncated: results.some(result => result.data?.truncated),
    error: failed?.error ?? null,
    retry: () => void failed?.refetch()
  };
}

function isBelow(path: string, top: readonly FileEntry[]): boolean {
  return top.some(
    entry => path === entry.path || path.startsWith(`${entry.path}/`)
  );
}

/** Files and folders after the WAI-ARIA tree pattern. Folders load when they are opened. */
export function FileTree(props: IFileTreeProps): JSX.Element {
  const { label, runId, area, selected, onSelect } = props;
  const trans = useTrans();
  const prefix = useId();
  const [open, setOpen] = useState<ReadonlySet<string>>(
    new Set(props.initialOpen ? [props.initialOpen] : [])
  );
  const [active, setActive] = useState(0);
  const { rows, pending, settled, truncated, error, retry } = useTree(
    runId,
    area,
    open
  );
  useLoaded(rows, !settled, props.onLoaded);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // jsdom has no scrolling.
    list.current?.children[active]?.scrollIntoView?.({ block: 'nearest' });
  }, [active]);

  const toggle = (path: string): void => setOpen(toggled(open, path));
  const show = (row: ITreeRow, index: number): void => {
    setActive(index);
    onSelect(row.entry);
    if (row.entry.type === 'folder') {
      toggle(row.entry.path);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const action = treeAction(event.key, rows, active);
    const row = rows[active];
    if (!action || !row) {
      return;
    }
    event.preventDefault();
    if (action.kind === 'move') {
      setActive(action.to);
    } else if (action.kind === 'show') {
      show(row, active);
    } else {
      toggle(row.entry.path);
    }
  };

  if (pending && error === null) {
    return <Skeleton count={6} />;
  }
  return (
    <>
      {error !== null && <ErrorNotice error={error} onRetry={retry} />}
      <div
        ref={list}
        role="tree"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={rows[active] ? `${prefix}-${active}` : undefined}
        className="jp-mlws-filetree"
        onKeyDown={onKeyDown}
      >
        {rows.map((row, index) => (
          <TreeItem
            key={row.entry.path}
            id={`${prefix}-${index}`}
            row={row}
            active={index === active}
            selected={row.entry.path === selected}
            onShow={() => show(row, index)}
          />
        ))}
      </div>
      {truncated && (
        <p className="jp-mlws-hint">
          {trans.__('There are more files than are listed here.')}
        </p>
      )}
    </>
  );
}

function toggled(set: ReadonlySet<string>, path: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(path)) {
    next.add(path);
  }
  return next;
}

/** Tells once what is seen at first. */
function useLoaded(
  rows: readonly ITreeRow[],
  pending: boolean,
  onLoaded: IFileTreeProps['onLoaded']
): void {
  const told = useRef(false);
  useEffect(() => {
    if (!pending && rows.length > 0 && !told.current) {
      told.current = true;
      onLoaded?.(rows.map(row => row.entry));
    }
  });
}

function TreeItem(props: {
  id: string;
  row: ITreeRow;
  active: boolean;
  selected: boolean;
  onShow: () => void;
}): JSX.Element {
  const { id, row, active, selected, onShow } = props;
  const { entry, name, level, open } = row;
  const icon = ICONS[entry.type];
  return (
    // The tree has the focus and the keys; this is for the mouse.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      id={id}
      role="treeitem"
      // The tree itself is the one tab stop.
      tabIndex={-1}
      aria-level={level}
      aria-selected={selected}
      aria-expanded={entry.type === 'folder' ? open : undefined}
      className="jp-mlws-filetree-item"
      data-active={active || undefined}
      style={{ paddingInlineStart: 8 + (level - 1) * 16 }}
      title={entry.target ? `${entry.path} → ${entry.target}` : entry.path}
      onClick={onShow}
    >
      <span className="jp-mlws-filetree-arrow" aria-hidden="true">
        {entry.type === 'folder' ? (open ? '▾' : '▸') : ''}
      </span>
      <icon.react
        tag="span"
        className="jp-mlws-filetree-icon"
        aria-hidden="true"
      />
      <span className="jp-mlws-ellipsis jp-mlws-filetree-name">{name}</span>
      <span className="jp-mlws-filetree-size jp-mlws-number">
        {entry.type === 'link' ? '→' : formatBytes(entry.size)}
      </span>
    </div>
  );
}
