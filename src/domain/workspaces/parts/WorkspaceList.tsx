import { useId, useRef, type KeyboardEvent } from 'react';

import { useTrans } from '../../../ui';
import { contentsText, extraLabel } from '../format';
import type { Workspace } from '../queries';

export interface IWorkspaceListProps {
  workspaces: readonly Workspace[];
  selected: string;
  onSelect: (name: string) => void;
}

/** Which entry a key leads to; null where the key means nothing here. */
export function entryAfterKey(
  key: string,
  index: number,
  count: number
): number | null {
  const places: Record<string, number> = {
    ArrowDown: Math.min(count - 1, index + 1),
    ArrowUp: Math.max(0, index - 1),
    Home: 0,
    End: count - 1
  };
  return places[key] ?? null;
}

/** Workspaces after the WAI-ARIA listbox pattern: one tab stop; arrows move, and what they reach is shown. */
export function WorkspaceList(props: IWorkspaceListProps): JSX.Element {
  const { workspaces, selected, onSelect } = props;
  const trans = useTrans();
  const prefix = useId();
  const list = useRef<HTMLDivElement>(null);
  const ordered = [...workspaces].sort(
    (a, b) => Number(a.archived) - Number(b.archived)
  );
  const active = ordered.findIndex(({ name }) => name === selected);
  const firstArchived = ordered.findIndex(({ archived }) => archived);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = entryAfterKey(event.key, active, ordered.length);
    const name = next === null ? undefined : ordered[next]?.name;
    if (name !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      onSelect(name);
      list.current
        ?.querySelectorAll('[role=option]')
        [next ?? 0]?.scrollIntoView({ block: 'nearest' });
    }
  };
  return (
    <div
      ref={list}
      role="listbox"
      tabIndex={0}
      aria-label={trans.__('Workspaces')}
      aria-activedescendant={active < 0 ? undefined : `${prefix}-${active}`}
      className="jp-mlws-listbox"
      onKeyDown={onKeyDown}
    >
      {ordered.map((workspace, index) => (
        <Entry
          key={workspace.name}
          id={`${prefix}-${index}`}
          workspace={workspace}
          head={index === firstArchived ? trans.__('Archived') : null}
          selected={index === active}
          onSelect={() => onSelect(workspace.name)}
        />
      ))}
    </div>
  );
}

function Entry(props: {
  id: string;
  workspace: Workspace;
  /** What stands above it. */
  head: string | null;
  selected: boolean;
  onSelect: () => void;
}): JSX.Element {
  const { id, workspace, head, selected, onSelect } = props;
  const trans = useTrans();
  const label = extraLabel(workspace);
  const contents = contentsText(workspace, trans);
  return (
    <>
      {head !== null && (
        <div className="jp-mlws-listbox-head" aria-hidden="true">
          {head}
        </div>
      )}
      {/* The listbox has the focus and the keys; this is for the mouse. */}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events */}
      <div
        id={id}
        role="option"
        tabIndex={-1}
        aria-selected={selected}
        className="jp-mlws-listbox-entry"
        title={[workspace.name, label, contents].filter(Boolean).join('\n')}
        onClick={onSelect}
      >
        <span className="jp-mlws-ellipsis">
          {workspace.name}
          {label && <span className="jp-mlws-muted"> {label}</span>}
        </span>
        {workspace.archived && (
          <span className="jp-mlws-sr-only">{trans.__('archived')}</span>
        )}
        <span className="jp-mlws-muted jp-mlws-number">
          {trans._n('%1 run', '%1 runs', workspace.runs)}
        </span>
      </div>
    </>
  );
}
