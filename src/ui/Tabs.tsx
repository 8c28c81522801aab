import { useId, useRef, type KeyboardEvent, type ReactNode } from 'react';

export interface ITab {
  id: string;
  label: string;
  /** A small count beside the label. */
  badge?: ReactNode;
  /** Called only while the tab is selected. */
  render: () => ReactNode;
}

export interface ITabsProps {
  /** What the tabs are of, for screen readers. */
  label: string;
  tabs: readonly ITab[];
  selected: string;
  onSelect: (id: string) => void;
}

/** Which tab a key leads to; null when the key means nothing here. */
export function tabAfterKey(
  key: string,
  index: number,
  count: number
): number | null {
  switch (key) {
    case 'ArrowRight':
      return (index + 1) % count;
    case 'ArrowLeft':
      return (index - 1 + count) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

/** Tabs after the WAI-ARIA pattern: one tab stop, arrows move and select. */
export function Tabs(props: ITabsProps): JSX.Element {
  const { label, tabs, selected, onSelect } = props;
  const prefix = useId();
  const list = useRef<HTMLDivElement>(null);
  const found = tabs.findIndex(tab => tab.id === selected);
  const index = found < 0 ? 0 : found;
  const current = tabs[index];

  const onKeyDown = (event: KeyboardEvent): void => {
    const next = tabAfterKey(event.key, index, tabs.length);
    const tab = next === null ? undefined : tabs[next];
    if (next === null || !tab) {
      return;
    }
    event.preventDefault();
    onSelect(tab.id);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };

  return (
    <div className="jp-mlws-tabs">
      <div
        ref={list}
        role="tablist"
        aria-label={label}
        className="jp-mlws-tab-list"
      >
        {tabs.map((tab, i) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${prefix}-tab-${tab.id}`}
            className="jp-mlws-tab"
            aria-selected={i === index}
            aria-controls={`${prefix}-panel`}
            tabIndex={i === index ? 0 : -1}
            onClick={() => onSelect(tab.id)}
            onKeyDown={onKeyDown}
          >
            {tab.label}
            {/* A space, or a reader says "Metrics2". */}
            {tab.badge !== undefined && ' '}
            {tab.badge !== undefined && (
              <span className="jp-mlws-tab-badge">{tab.badge}</span>
            )}
          </button>
        ))}
      </div>
      {current && (
        <div
          key={current.id}
          role="tabpanel"
          id={`${prefix}-panel`}
          className="jp-mlws-tab-panel"
          aria-labelledby={`${prefix}-tab-${current.id}`}
          // The pattern asks for it: a panel without controls must be reachable, to scroll it.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
        >
          {current.render()}
        </div>
      )}
    </div>
  );
}
