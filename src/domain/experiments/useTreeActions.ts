import { useMemo, useRef, type KeyboardEvent } from 'react';

import { useSidebarHost } from './host';
import { moveByKey, type TreeRow } from './rows';

/** "… n more" brings so many more. */
const MORE = 20;

interface ITreeActionsInput {
  rows: readonly TreeRow[];
  focus: (index: number) => void;
  onRetry: (experimentId: string) => void;
  /** Fetches more of the runs that stand by themselves. */
  onMoreRuns: () => void;
}

/** What rows do when they are clicked, focused or given a key. */
export interface ITreeActions {
  activate: (index: number) => void;
  select: (index: number) => void;
  onKeyDown: (event: KeyboardEvent, index: number) => void;
}

/** The functions never change, so a row is not drawn again because its tree was. */
export function useTreeActions(input: ITreeActionsInput): ITreeActions {
  const host = useSidebarHost();
  const latest = useRef(input);
  latest.current = input;
  return useMemo(() => {
    const { model } = host;
    const activate = (index: number): void => {
      const row = latest.current.rows[index];
      switch (row?.kind) {
        case 'experiment':
          model.toggle(row.experiment.id);
          break;
        case 'run':
          host.openRun(row.run.id);
          break;
        case 'more':
          if (row.experimentId === null) {
            latest.current.onMoreRuns();
          } else {
            model.showRuns(row.experimentId, row.shown + MORE);
          }
          break;
        case 'note':
          if (row.experimentId) {
            latest.current.onRetry(row.experimentId);
          }
          break;
        case undefined:
      }
    };
    const edit = (row: TreeRow): boolean => {
      const can = row.kind === 'experiment' || row.kind === 'run';
      if (can) {
        model.edit(row.key);
      }
      return can;
    };
    const onKeyDown = (event: KeyboardEvent, index: number): void => {
      const { rows, focus } = latest.current;
      const row = rows[index];
      if (!row || event.ctrlKey || event.altKey || event.metaKey) {
        return;
      }
      const move = moveByKey(rows, index, event.key);
      let used = true;
      if (move && 'to' in move) {
        focus(move.to);
      } else if (move) {
        model.toggle(move.toggle, move.open);
      } else if (event.key === 'Enter' || event.key === ' ') {
        activate(index);
      } else if (event.key === 'F2') {
        used = edit(row);
      } else if (event.key === 'Delete' && row.kind === 'run') {
        // In the bin it would be for ever: only the menu does that.
        used = row.run.lifecycle === 'active';
        if (used) {
          host.deleteRun(row.run.id);
        }
      } else {
        used = false;
      }
      if (used) {
        event.preventDefault();
        // The Lab's own shortcuts hear of keys that bubble further.
        event.stopPropagation();
      }
    };
    return {
      activate,
      select: index => model.select(latest.current.rows[index]?.key ?? null),
      onKeyDown
    };
  }, [host]);
}
