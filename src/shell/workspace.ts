import { Observable } from '../lib/observable';
import { DEFAULT_WORKSPACE } from '../lib/workspace';

/** The workspace that is looked at, at first. */
export function createWorkspace(): Observable<string> {
  return new Observable(DEFAULT_WORKSPACE);
}
