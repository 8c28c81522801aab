import {
  defaultRangeExtractor,
  useVirtualizer,
  type Virtualizer
} from '@tanstack/react-virtual';
import {
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject
} from 'react';

import { treePositions } from '../../lib/treePositions';
import { ErrorNotice, Skeleton, useTrans } from '../../ui';
import { FileTreeItem } from './FileTreeItem';
import { indexOfPath, treeAction, type ITreeRow } from './tree';
import type { FileArea, FileEntry } from './types';
import { useFileTree } from './useFileTree';

const ROW = 24;

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

/** Files and folders after the WAI-ARIA tree pattern. Folders load when they are opened; only rows in sight are drawn. */
export function FileTree(props: IFileTreeProps): JSX.Element {
  const { label, runId, area, selected, onSelect } = props;
  const trans = useTrans();
  const prefix = useId();
  const [open, setOpen] = useState<ReadonlySet<string>>(
    new Set(props.initialOpen ? [props.initialOpen] : [])
  );
  // Its path, not its place: files that arrive above it must not make another one active.
  const [activePath, setActivePath] = useState<string | null>(null);
  const tree = useFileTree(runId, area, open);
  const { rows, pending, settled, truncated, error, retry } = tree;
  useLoaded(rows, !settled, props.onLoaded);
  const active = indexOfPath(rows, activePath);
  const list = useRef<HTMLDivElement>(null);
  const virtualizer = useFileRows(rows, active, list);

  const toggle = (path: string): void =>
    setOpen(before => toggled(before, path));
  const show = useCallback(
    (entry: FileEntry): void => {
      setActivePath(entry.path);
      onSelect(entry);
      if (entry.type === 'folder') {
        setOpen(before => toggled(before, entry.path));
      }
    },
    [onSelect]
  );
  const onKeyDown = (event: KeyboardEvent): void => {
    const action = treeAction(event.key, rows, active);
    const row = rows[active];
    if (!action || !row) {
      return;
    }
    event.preventDefault();
    if (action.kind === 'move') {
      setActivePath(rows[action.to]?.entry.path ?? null);
      virtualizer.scrollToIndex(action.to);
    } else if (action.kind === 'show') {
      show(row.entry);
    } else {
      setActivePath(row.entry.path);
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
        <Rows
          {...{ rows, active, prefix, selected, virtualizer }}
          onShow={show}
        />
      </div>
      {truncated && (
        <p className="jp-mlws-hint">
          {trans.__('There are more files than are listed here.')}
        </p>
      )}
    </>
  );
}

function Rows(props: {
  rows: readonly ITreeRow[];
  active: number;
  prefix: string;
  selected: string | null;
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  onShow: (entry: FileEntry) => void;
}): JSX.Element {
  const { rows, active, prefix, selected, virtualizer, onShow } = props;
  const positions = useMemo(
    () => treePositions(rows.map(({ level }) => level)),
    [rows]
  );
  return (
    <div
      role="none"
      className="jp-mlws-filetree-rows"
      style={{ height: virtualizer.getTotalSize() }}
    >
      {virtualizer.getVirtualItems().map(({ index, start }) => {
        const row = rows[index];
        return (
          row && (
            <FileTreeItem
              key={row.entry.path}
              id={`${prefix}-${index}`}
              entry={row.entry}
              name={row.name}
              level={row.level}
              open={row.open}
              active={index === active}
              selected={row.entry.path === selected}
              pos={positions[index]?.pos}
              setSize={positions[index]?.size}
              top={start}
              onShow={onShow}
            />
          )
        );
      })}
    </div>
  );
}

/** The rows in sight, and the active one: readers are told of it by its id. */
function useFileRows(
  rows: readonly ITreeRow[],
  active: number,
  list: RefObject<HTMLDivElement>
): Virtualizer<HTMLDivElement, Element> {
  return useVirtualizer<HTMLDivElement, Element>({
    count: rows.length,
    getScrollElement: () => list.current,
    estimateSize: () => ROW,
    overscan: 12,
    getItemKey: index => rows[index]?.entry.path ?? index,
    rangeExtractor: range => {
      const shown = new Set(defaultRangeExtractor(range));
      if (rows[active]) {
        shown.add(active);
      }
      return [...shown].sort((a, b) => a - b);
    }
  });
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
