import { createContext, useContext, useSyncExternalStore } from 'react';

import { Observable } from '../../lib/observable';
import { DEFAULT_WORKSPACE } from '../../lib/workspace';

const WorkspaceContext = createContext(new Observable(DEFAULT_WORKSPACE));

/** Says which workspace a tree looks at. */
export const WorkspaceProvider = WorkspaceContext.Provider;

/** Which workspace is looked at, for what ends later than the component that began it. */
export function useWorkspaceNow(): Observable<string> {
  return useContext(WorkspaceContext);
}

/** The name of the workspace that is looked at, and a function that changes it. */
export function useWorkspace(): [string, (name: string) => void] {
  const current = useContext(WorkspaceContext);
  return [useSyncExternalStore(current.subscribe, current.get), current.set];
}
