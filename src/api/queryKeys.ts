import type { QueryKey } from '@tanstack/react-query';

import type { IHint } from './hints';

/** The keys of one concept's queries. */
export interface IQueryKeys {
  /** Everything of the concept. */
  all: QueryKey;
  /** A list; `params` are filter, order and page. */
  list: (params?: unknown) => QueryKey;
  /** One object, or a part of it: `detail(runId, 'logs')`. */
  detail: (id: string, ...part: unknown[]) => QueryKey;
  /** What stands below a parent, e.g. the latest runs of an experiment: `of(experimentId, 'latest')`. */
  of: (parent: string, ...part: unknown[]) => QueryKey;
}

/**
 * Keys for a concept. All queries use them, because hints find queries by their keys.
 *
 * @param kind - The `kind` of the concept's hints.
 */
export function queryKeys(kind: string): IQueryKeys {
  return {
    all: [kind],
    list: params => [kind, 'list', params ?? null],
    detail: (id, ...part) => [kind, 'detail', id, ...part],
    of: (parent, ...part) => [kind, 'of', parent, ...part]
  };
}

/** Whether a list is of another workspace than a hint is about; `unsure` is for lists that name none. */
function isElsewhere(params: unknown, hint: IHint, unsure: boolean): boolean {
  const workspace = (params as { workspace?: unknown } | null)?.workspace;
  return typeof workspace !== 'string' || hint.workspace === ''
    ? !unsure
    : workspace.toLowerCase() !== hint.workspace.toLowerCase();
}

/**
 * Whether a query is out of date after a hint: the concept's lists in that workspace, the object's own queries, those of
 * its parent (a run's change touches its experiment's page), and lists below that parent.
 */
export function isTouched(key: QueryKey, hint: IHint): boolean {
  const [kind, what, id] = key;
  if (what === 'detail') {
    return (
      (kind === hint.kind && id === hint.id) ||
      (hint.parent !== null && id === hint.parent)
    );
  }
  if (what === 'of') {
    return id === hint.id || (kind === hint.kind && id === hint.parent);
  }
  // Of a workspace that is renamed, archived or gone every list is out of date.
  const concerned = kind === hint.kind || hint.kind === 'workspace';
  return concerned && !isElsewhere(id, hint, kind === hint.kind);
}

/**
 * Whether a query shows what a hint is about beside its own: a run and the rows of its experiment's runs show its last
 * metrics. Its other parts (its job, its history) do not.
 */
export function isShownBy(key: QueryKey, hint: IHint): boolean {
  const [kind, what, id, part] = key;
  if (hint.kind !== 'metrics' || kind !== 'run') {
    return false;
  }
  return what === 'detail'
    ? id === hint.id && part === undefined
    : what === 'of' && id === hint.parent && part === 'latest';
}
