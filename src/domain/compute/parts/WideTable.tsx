import type { ReactNode } from 'react';

/** A table that may be wider than its card: it scrolls within, by the keyboard too. */
export function WideTable(props: {
  label: string;
  children: ReactNode;
}): JSX.Element {
  return (
    <div
      className="jp-mlws-wide-table"
      role="region"
      aria-label={props.label}
      // Reachable, so that the keyboard can scroll it.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <table>{props.children}</table>
    </div>
  );
}
