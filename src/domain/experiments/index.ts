export { ExperimentActions } from './actions';
export { ExperimentsPanel } from './ExperimentsPanel';
export { GoalForm } from './GoalForm';
export { SidebarHostProvider, type ISidebarHost } from './host';
export { RetentionForm } from './RetentionForm';
export { experimentQueries } from './queries';
export {
  rowKey,
  SidebarModel,
  type ISidebarMemory,
  type SidebarView
} from './SidebarModel';
