import { fileIcon, folderIcon, linkIcon } from '@jupyterlab/ui-components';
import { memo } from 'react';

import { formatBytes } from '../../lib/format';
import type { FileEntry } from './types';

const ICONS = { file: fileIcon, folder: folderIcon, link: linkIcon };

export interface IFileTreeItemProps {
  id: string;
  entry: FileEntry;
  name: string;
  level: number;
  open: boolean;
  /** The keys are at it. */
  active: boolean;
  /** It is shown beside the tree. */
  selected: boolean;
  /** Its place among its siblings. */
  pos: number | undefined;
  setSize: number | undefined;
  top: number;
  onShow: (entry: FileEntry) => void;
}

/** A file, a folder or a link; drawn again only when it changes, for there may be thousands. */
export const FileTreeItem = memo(function FileTreeItem(
  props: IFileTreeItemProps
): JSX.Element {
  const { entry, level, open } = props;
  const icon = ICONS[entry.type];
  return (
    // The tree has the focus and the keys; this is for the mouse.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      id={props.id}
      role="treeitem"
      // The tree itself is the one tab stop.
      tabIndex={-1}
      aria-level={level}
      aria-posinset={props.pos}
      aria-setsize={props.setSize}
      aria-selected={props.selected}
      aria-expanded={entry.type === 'folder' ? open : undefined}
      className="jp-mlws-filetree-item"
      data-active={props.active || undefined}
      style={{
        paddingInlineStart: 8 + (level - 1) * 16,
        transform: `translateY(${props.top}px)`
      }}
      title={entry.target ? `${entry.path} → ${entry.target}` : entry.path}
      onClick={() => props.onShow(entry)}
    >
      <span className="jp-mlws-filetree-arrow" aria-hidden="true">
        {entry.type === 'folder' ? (open ? '▾' : '▸') : ''}
      </span>
      <icon.react
        tag="span"
        className="jp-mlws-filetree-icon"
        aria-hidden="true"
      />
      <span className="jp-mlws-ellipsis jp-mlws-filetree-name">
        {props.name}
      </span>
      <span className="jp-mlws-filetree-size jp-mlws-number">
        {entry.type === 'link' ? '→' : formatBytes(entry.size)}
      </span>
    </div>
  );
});
