import { memo, type KeyboardEvent } from 'react';

import { useTrans } from '../../../ui';
import { canCancel, hasEnded } from '../../runs';
import { runTitle } from '../format';
import { isReachable, type TreeRow } from '../rows';
import { ExperimentRow } from './ExperimentRow';
import { MoreRow, NoteRow } from './NoteRow';
import { RunRow } from './RunRow';

export interface ITreeItemProps {
  row: TreeRow;
  index: number;
  top: number;
  selected: boolean;
  /** Whether Tab leads to it: one row of the tree. */
  tabbable: boolean;
  editing: boolean;
  onActivate: (index: number) => void;
  onSelect: (index: number) => void;
  onKeyDown: (event: KeyboardEvent, index: number) => void;
}

/** One row of the tree: a treeitem that has the focus itself, so that the context menu key meets it. */
export const TreeItem = memo(function TreeItem(
  props: ITreeItemProps
): JSX.Element {
  const { row, index, top, selected, tabbable, editing } = props;
  const trans = useTrans();
  const reachable = isReachable(row);
  return (
    // Clicks are for the pointer; the keys are the tree's.
    <div
      role={reachable ? 'treeitem' : 'presentation'}
      className={`jp-mlws-tree-row jp-mlws-tree-${row.kind}`}
      data-level={row.level}
      aria-level={reachable ? row.level : undefined}
      aria-expanded={row.kind === 'experiment' ? row.expanded : undefined}
      aria-selected={reachable ? selected : undefined}
      tabIndex={reachable ? (tabbable ? 0 : -1) : undefined}
      title={row.kind === 'run' ? runTitle(row.run, trans) : undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => reachable && props.onActivate(index)}
      onFocus={() => reachable && props.onSelect(index)}
      onContextMenu={() => reachable && props.onSelect(index)}
      onKeyDown={event => props.onKeyDown(event, index)}
      {...menuData(row)}
    >
      {row.kind === 'experiment' ? (
        <ExperimentRow row={row} editing={editing} />
      ) : row.kind === 'run' ? (
        <RunRow row={row} editing={editing} />
      ) : row.kind === 'more' ? (
        <MoreRow row={row} />
      ) : (
        <NoteRow row={row} />
      )}
    </div>
  );
});

/** What the context menu's selectors and commands read. */
function menuData(row: TreeRow): Record<`data-${string}`, string | undefined> {
  if (row.kind === 'experiment') {
    const { id, archived } = row.experiment;
    return {
      'data-mlws-experiment': id,
      'data-archived': String(archived)
    };
  }
  if (row.kind === 'run') {
    const { run } = row;
    return {
      'data-mlws-run': run.id,
      'data-binned': String(run.lifecycle === 'deleted'),
      'data-cancelable': String(canCancel(run)),
      'data-again': String(run.kind !== 'interactive' && hasEnded(run))
    };
  }
  return {};
}
