import { closeIcon } from '@jupyterlab/ui-components';
import { forwardRef } from 'react';

import { IconButton, useTrans } from '../../ui';

export interface IFilterBoxProps {
  value: string;
  onChange: (value: string) => void;
  /** Goes on to the rows below. */
  onDown: () => void;
}

/** Looks for experiments and runs by their names. */
export const FilterBox = forwardRef<HTMLInputElement, IFilterBoxProps>(
  function FilterBox(props, ref) {
    const { value, onChange, onDown } = props;
    const trans = useTrans();
    return (
      <div className="jp-mlws-filter">
        <input
          ref={ref}
          type="text"
          role="searchbox"
          className="jp-mlws-input"
          aria-label={trans.__('Filter experiments and runs')}
          aria-keyshortcuts="/"
          title={trans.__('Filter experiments and runs (/)')}
          placeholder={trans.__('Filter ( / )')}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={event => onChange(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'ArrowDown') {
              event.preventDefault();
              onDown();
            } else if (event.key === 'Escape' && value) {
              event.stopPropagation();
              onChange('');
            }
          }}
        />
        {value && (
          <IconButton
            icon={closeIcon}
            label={trans.__('Clear the filter')}
            shortcut="Esc"
            onClick={() => onChange('')}
          />
        )}
      </div>
    );
  }
);
