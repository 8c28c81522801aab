import type { LabIcon } from '@jupyterlab/ui-components';
import { forwardRef, type MouseEvent } from 'react';

export interface IIconButtonProps {
  icon: LabIcon;
  /** What it does: its name for screen readers and its tooltip. */
  label: string;
  onClick: (event: MouseEvent<HTMLButtonElement>) => void;
  /** Shown in the tooltip and told to screen readers, e.g. "/". */
  shortcut?: string;
  disabled?: boolean;
  /** Makes it a toggle. */
  pressed?: boolean;
  className?: string;
}

/** A toolbar button with an icon only. */
export const IconButton = forwardRef<HTMLButtonElement, IIconButtonProps>(
  function IconButton(props, ref) {
    const { icon, label, onClick, shortcut, disabled, pressed } = props;
    const className = ['jp-mlws-icon-button', props.className]
      .filter(Boolean)
      .join(' ');
    return (
      <button
        ref={ref}
        type="button"
        className={className}
        aria-label={label}
        aria-keyshortcuts={shortcut}
        aria-pressed={pressed}
        title={shortcut ? `${label} (${shortcut})` : label}
        disabled={disabled}
        onClick={onClick}
      >
        <icon.react tag="span" aria-hidden="true" />
      </button>
    );
  }
);
