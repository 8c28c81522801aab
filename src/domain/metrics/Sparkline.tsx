import { sparklinePath } from './grouping';

const WIDTH = 64;
const HEIGHT = 16;

/** A curve of the size of a word; the numbers beside it say the same, so readers skip it. */
export function Sparkline(props: {
  values: readonly (number | null)[];
  color?: string;
}): JSX.Element {
  return (
    <svg
      className="jp-mlws-sparkline"
      viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
      aria-hidden="true"
      focusable="false"
    >
      <path
        d={sparklinePath(props.values, WIDTH, HEIGHT)}
        stroke={props.color ?? 'currentcolor'}
      />
    </svg>
  );
}
