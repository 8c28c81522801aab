import type { Run } from '../domain/runs';

/** A run. */
export function aRun(part: Partial<Run> = {}): Run {
  return {
    id: '0'.repeat(32),
    workspace: 'default',
    experiment_id: '1',
    experiment_name: 'train',
    name: 'train-1',
    kind: 'notebook',
    status: 'Running',
    reason: null,
    error: null,
    lifecycle: 'active',
    parent_id: null,
    user: 'me',
    created_at: 0,
    started_at: 0,
    ended_at: null,
    duration_ms: 63_000,
    source: 'train.ipynb',
    target: 'local',
    progress: null,
    waiting: null,
    params: {},
    metrics: {},
    tags: {},
    note: '',
    inputs: [],
    outputs: [],
    children: 0,
    snapshot_id: null,
    version: 1,
    ...part
  };
}
