export { ComputePanel } from './ComputePanel';
export { asksText } from './format';
export { computeQueries } from './queries';
export type { ComputeTarget } from './types';
