import type { ReactNode } from 'react';

/** A part of the Overview, with a heading. */
export function Card(props: {
  title: string;
  /** Stands at the right of the heading. */
  actions?: ReactNode;
  children: ReactNode;
}): JSX.Element {
  const { title, actions, children } = props;
  return (
    <section className="jp-mlws-card" aria-label={title}>
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        {actions}
      </header>
      {children}
    </section>
  );
}
