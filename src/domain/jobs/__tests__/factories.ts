import type { Run } from '../../runs';
import type { NotebookInspection, ParameterField } from '../types';

/** A parameter with a default. */
export function aField(part: Partial<ParameterField> = {}): ParameterField {
  return {
    name: 'lr',
    type: 'float',
    default: 0.001,
    default_source: '1e-3',
    help: 'step size',
    required_literal: true,
    ...part
  };
}

/** What is known of a notebook. */
export function anInspection(
  part: Partial<NotebookInspection> = {}
): NotebookInspection {
  return {
    path: 'lab/train.ipynb',
    name: 'train',
    kernel: 'python3',
    kernel_display_name: 'Python 3',
    kernel_available: true,
    language: 'python',
    parameters: [aField()],
    has_parameters_cell: true,
    cells: 3,
    snapshot_files: 2,
    snapshot_bytes: 2048,
    not_captured: [],
    needs_confirmation: null,
    default_experiment: 'train',
    ...part
  };
}

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
