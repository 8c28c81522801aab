import type { components } from '../api/schema';

type ComputeTarget = components['schemas']['ComputeTarget'];
type QueuedJob = components['schemas']['QueuedJob'];

const NOTHING = { cpus: null, memory_bytes: null, gpus: null };

/** A compute target on which nothing runs. */
export function aTarget(part: Partial<ComputeTarget> = {}): ComputeTarget {
  return {
    name: 'local',
    kind: 'local',
    description: 'This machine',
    max_jobs: 2,
    default_max_jobs: 2,
    min_instances: 0,
    spares: 0,
    running: 0,
    queued: 0,
    state: 'ready',
    detail: '',
    cpu_count: null,
    memory_bytes: null,
    load: null,
    memory_used_bytes: null,
    paused: false,
    total: NOTHING,
    reserved: NOTHING,
    per_user: { ...NOTHING, max_jobs: null },
    queue: [],
    live: [],
    ssh: null,
    slurm: null,
    facts: null,
    kinds: null,
    made: false,
    checked: null,
    ...part
  };
}

/** What makes a target another host; `notebooks`: what it said of them. */
export function aHost(
  part: Partial<NonNullable<ComputeTarget['facts']>> = {}
): Pick<ComputeTarget, 'ssh' | 'facts'> {
  return {
    ssh: {
      host: 'lab.example',
      port: 22,
      user: 'ada',
      folder: '~/.mlws',
      python: 'python3',
      host_key: 'ssh-ed25519 AAAA',
      fingerprint: 'SHA256:x',
      key: null,
      server_url: null
    },
    facts: {
      host: 'lab',
      python: '3.12.1',
      system: 'Linux',
      machine: 'x86_64',
      cpus: 8,
      memory: null,
      gpus: [],
      notebooks: null,
      ...part
    }
  };
}

/** A job that waits. */
export function aQueuedJob(part: Partial<QueuedJob> = {}): QueuedJob {
  return {
    run_id: 'q',
    name: 'queued-1',
    user: 'ada',
    position: 1,
    code: 'slot',
    reason: 'All 2 slots of local are taken; this job is next.',
    until: null,
    priority: 0,
    asks: NOTHING,
    ...part
  };
}
