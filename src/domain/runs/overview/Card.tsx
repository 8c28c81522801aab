import type { ReactNode } from 'react';

/** A part of the Overview, with a heading. */
export function Card(props: {
  title: string;
  /** Stands at the right of the heading. */
  actions?: ReactNode;
  /** Takes a whole row. */
  wide?: boolean;
  children: ReactNode;
}): JSX.Element {
  const { title, actions, wide, children } = props;
  return (
    <section
      className="jp-mlws-card"
      data-wide={wide || undefined}
      aria-label={title}
    >
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        {actions}
      </header>
      {children}
    </section>
  );
}
