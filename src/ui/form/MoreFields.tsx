import { useEffect, useState, type ReactNode } from 'react';

/**
 * Fields that are seldom set. Opens by itself where something in it is wrong, and closes by a press alone: never under who types
 * in it.
 */
export function MoreFields(props: {
  className: string;
  summary: string;
  begun: boolean;
  wrong: boolean;
  children: ReactNode;
}): JSX.Element {
  const { className, summary, begun, wrong, children } = props;
  const [open, setOpen] = useState(begun);
  useEffect(() => {
    if (wrong) {
      setOpen(true);
    }
  }, [wrong]);
  return (
    <details
      className={className}
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
