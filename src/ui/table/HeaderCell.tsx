import type { Header } from '@tanstack/react-table';
import type { KeyboardEvent } from 'react';

import { useTrans } from '../trans';
import type { Features } from './columns';

interface IHeaderCellProps<Row extends object> {
  header: Header<Features, Row>;
  index: number;
  label: string;
  end: boolean;
  sorted: false | 'asc' | 'desc';
  width: number;
  onResize: (width: number) => void;
}

const KEY_STEP = 16;

/** A column's head: a button that sorts, and a handle that resizes (Shift+arrows on the button). */
export function HeaderCell<Row extends object>(
  props: IHeaderCellProps<Row>
): JSX.Element {
  const { header, index, label, end, sorted, width, onResize } = props;
  const trans = useTrans();
  const { column } = header;
  const resize = header.getResizeHandler();

  const onKeyDown = (event: KeyboardEvent): void => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.shiftKey && way) {
      event.preventDefault();
      onResize(width + way * KEY_STEP);
    }
    // Arrows, Enter and space on a head are not for the rows.
    event.stopPropagation();
  };
  const hint = trans.__('%1 (Shift+← and Shift+→ change the width)', label);

  return (
    <div
      role="columnheader"
      aria-colindex={index + 1}
      aria-sort={
        sorted ? (sorted === 'asc' ? 'ascending' : 'descending') : undefined
      }
      className={`jp-mlws-table-cell jp-mlws-table-head${end ? ' jp-mlws-end' : ''}`}
      style={{ width }}
    >
      <button
        type="button"
        className="jp-mlws-table-sort"
        title={hint}
        aria-disabled={!column.getCanSort()}
        onClick={column.getToggleSortingHandler()}
        onKeyDown={onKeyDown}
      >
        <span className="jp-mlws-ellipsis">{label}</span>
        <span aria-hidden="true" className="jp-mlws-table-arrow">
          {sorted === 'asc' ? '▲' : sorted === 'desc' ? '▼' : ''}
        </span>
      </button>
      {/* For the mouse; the keyboard resizes on the button. */}
      <div
        aria-hidden="true"
        className="jp-mlws-table-resize"
        onMouseDown={resize}
        onTouchStart={resize}
      />
    </div>
  );
}
