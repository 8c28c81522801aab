export { workspaceKeys, workspaceQueries, type Workspace } from './queries';
export {
  DEFAULT_WORKSPACE,
  useWorkspace,
  WorkspaceProvider
} from './useWorkspace';
export { WorkspaceSwitcher } from './WorkspaceSwitcher';
