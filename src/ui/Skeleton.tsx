import { useTrans } from './trans';

export interface ISkeletonProps {
  /** Table rows of 28 px, lines of text, or one block. */
  shape?: 'rows' | 'text' | 'block';
  /** How many rows or lines. */
  count?: number;
  /** Height of a block in px. */
  height?: number;
}

/** Widths that look like text; fixed, so that nothing jumps when it renders again. */
const WIDTHS = ['92%', '78%', '85%', '64%', '88%', '71%'];

/** Holds the place of what is being loaded, in its final layout. Appears after 200 ms. */
export function Skeleton(props: ISkeletonProps): JSX.Element {
  const { shape = 'rows', count = 5, height = 120 } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-skeleton" data-shape={shape} role="status">
      <span className="jp-mlws-sr-only">{trans.__('Loading…')}</span>
      {shape === 'block' ? (
        <div className="jp-mlws-skeleton-block" style={{ height }} />
      ) : (
        Array.from({ length: count }, (_, i) => (
          <div key={i} className="jp-mlws-skeleton-line">
            <div style={{ width: WIDTHS[i % WIDTHS.length] }} />
          </div>
        ))
      )}
    </div>
  );
}
