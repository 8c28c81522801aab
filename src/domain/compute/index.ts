export { batchOf } from './batch';
export { ComputePanel } from './ComputePanel';
export { asksText } from './format';
export { TargetPanel } from './TargetPanel';
export { computeQueries } from './queries';
export type { ComputeTarget } from './types';
