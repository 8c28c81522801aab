export { EnvironmentsSection } from './EnvironmentsSection';
export { buildLabel, nameProblem, waitText } from './format';
export { useRecreateEnvironment } from './mutations';
export { environmentQueries } from './queries';
export type { Environment } from './types';
