export { ActiveJobs } from './ActiveJobs';
export { claimEnding } from './claim';
export { endingText } from './endings';
export { JobsStatus } from './JobsStatus';
export { JobWatcher } from './JobWatcher';
export { RerunForm } from './RerunForm';
export { SubmitForm } from './SubmitForm';
export type { JobList } from './types';
