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
  /** Its place among its siblings. */
  pos: number | undefined;
  setSize: number | undefined;
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
  const frame = {
    className: `jp-mlws-tree-row jp-mlws-tree-${row.kind}`,
    'data-level': row.level,
    style: { transform: `translateY(${top}px)` }
  };
  if (!isReachable(row)) {
    return (
      <div role="none" {...frame}>
        <RowContent row={row} editing={false} />
      </div>
    );
  }
  return (
    <div
      {...frame}
      role="treeitem"
      aria-level={row.level}
      aria-posinset={props.pos}
      aria-setsize={props.setSize}
      aria-expanded={row.kind === 'experiment' ? row.expanded : undefined}
      aria-selected={selected}
      tabIndex={tabbable ? 0 : -1}
      title={row.kind === 'run' ? runTitle(row.run, trans) : undefined}
      onClick={() => props.onActivate(index)}
      onFocus={() => props.onSelect(index)}
      onContextMenu={() => props.onSelect(index)}
      onKeyDown={event => props.onKeyDown(event, index)}
      {...menuData(row)}
    >
      <RowContent row={row} editing={editing} />
    </div>
  );
});

function RowContent(props: { row: TreeRow; editing: boolean }): JSX.Element {
  const { row, editing } = props;
  switch (row.kind) {
    case 'experiment':
      return <ExperimentRow row={row} editing={editing} />;
    case 'run':
      return <RunRow row={row} editing={editing} />;
    case 'more':
      return <MoreRow row={row} />;
    case 'note':
      return <NoteRow row={row} />;
  }
}

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
