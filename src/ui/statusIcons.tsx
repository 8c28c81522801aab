import type { ReactNode } from 'react';

/** Azure ML's words for the state of a run or job. */
export const RUN_STATUSES = [
  'NotStarted',
  'Queued',
  'Preparing',
  'Running',
  'Finalizing',
  'CancelRequested',
  'Completed',
  'Failed',
  'Canceled',
  'NotResponding',
  'Paused'
] as const;

/** The state of a run or job. */
export type RunStatus = (typeof RUN_STATUSES)[number];

const ring = <circle cx="8" cy="8" r="6" />;

/**
 * One shape a status, each different without its colour. 16 × 16, stroked with the text colour;
 * `className="jp-mlws-solid"` fills instead.
 */
const SHAPES: Record<RunStatus, ReactNode> = {
  NotStarted: ring,
  Queued: (
    <>
      {ring}
      <path d="M8 4.5V8l2.5 1.5" />
    </>
  ),
  Preparing: <circle cx="8" cy="8" r="6" strokeDasharray="2.6 2.1" />,
  Running: (
    <>
      {ring}
      <circle className="jp-mlws-solid" cx="8" cy="8" r="3.5" />
    </>
  ),
  Finalizing: (
    <>
      <path d="M8 2a6 6 0 1 1-6 6" />
      <path d="M5.5 8.2l1.8 1.8 3.4-3.8" />
    </>
  ),
  CancelRequested: (
    <>
      <circle cx="8" cy="8" r="6" strokeDasharray="2.6 2.1" />
      <path d="M5.5 5.5l5 5" />
    </>
  ),
  Completed: (
    <>
      {ring}
      <path d="M5.2 8.2l2 2 3.7-4.2" />
    </>
  ),
  Failed: (
    <>
      {ring}
      <path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" />
    </>
  ),
  Canceled: (
    <>
      {ring}
      <path d="M3.8 3.8l8.4 8.4" />
    </>
  ),
  NotResponding: (
    <>
      <path d="M8 2.2l6.2 11H1.8z" />
      <path d="M8 6.5v3.2M8 11.4v.2" />
    </>
  ),
  Paused: (
    <>
      {ring}
      <path d="M6.3 5.8v4.4M9.7 5.8v4.4" />
    </>
  )
};

/** The picture of a status; the word beside it is its name, so readers skip it. */
export function StatusIcon(props: { status: RunStatus }): JSX.Element {
  return (
    <svg
      className="jp-mlws-status-icon"
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[props.status]}
    </svg>
  );
}
