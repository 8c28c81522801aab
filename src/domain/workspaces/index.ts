export { workspaceKeys, workspaceQueries, type Workspace } from './queries';
export { useWorkspace, WorkspaceProvider } from './useWorkspace';
export { WorkspacesPanel, type IWorkspacesPanelProps } from './WorkspacesPanel';
export { WorkspaceSwitcher } from './WorkspaceSwitcher';
