import { aRun } from '../../../testing/runs';
import type { Job } from '../../runs';
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
    annotated: false,
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

/** A job of a notebook. */
export function aJob({
  parameters,
  ...part
}: Partial<Job> & { parameters?: Record<string, unknown> } = {}): Job {
  return {
    run: aRun({ id: 'r' }),
    spec: {
      kind: 'notebook',
      notebook: 'lab/train.ipynb',
      kernel: 'python3',
      ...(parameters && { parameters: parameters as Record<string, never> })
    },
    priority: 0,
    timeout_s: null,
    usage: null,
    environment: null,
    env_names: [],
    secrets: {},
    in_place: false,
    attempt: 1,
    max_retries: 0,
    attempts: [],
    asks: { cpus: null, memory_bytes: null, gpus: null },
    gpu_ids: [],
    not_captured: [],
    new_files: [],
    notebook_artifact: null,
    ...part
  };
}
