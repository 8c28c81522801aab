import type { IMeter } from '../format';

/** "CPUs ▓▓▓░░░ 2.1 of 8", and what jobs have asked for of it. */
export function Meter(props: { meter: IMeter }): JSX.Element {
  const { label, value, max, text, reserved } = props.meter;
  return (
    <div className="jp-mlws-meter">
      <span className="jp-mlws-muted">{label}</span>
      <progress
        max={max || 1}
        value={Math.min(value, max || 1)}
        aria-label={`${label}: ${text}`}
      />
      <span className="jp-mlws-meter-text">{text}</span>
      {reserved && (
        <span className="jp-mlws-meter-more jp-mlws-muted">{reserved}</span>
      )}
    </div>
  );
}
