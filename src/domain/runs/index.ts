export {
  canCancel,
  endReason,
  hasEnded,
  isWaiting,
  kindLabel,
  liveDuration,
  statusReason
} from './format';
export { RunHostProvider, useRunHost, type IRunHost } from './host';
export { useCancelJob, useHoldJob, useRerunJob } from './mutations';
export { Countdown } from './parts/Countdown';
export { runKeys, runQueries, useRun } from './queries';
export { openRun, RunLink } from './RunLink';
export {
  RunPanel,
  type IRerunFormProps,
  type IRunPanelProps,
  type ITabWish
} from './RunPanel';
export type { Job, ReRun, Run } from './types';
export { useLiveNow } from './useNow';
