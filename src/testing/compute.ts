import type { components } from '../api/schema';

type ComputeTarget = components['schemas']['ComputeTarget'];
type EndedJob = components['schemas']['EndedJob'];
type Use = components['schemas']['Use'];
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
    spares_end_at: null,
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
    pbs: null,
    lsf: null,
    gateway: null,
    facts: null,
    kinds: null,
    made: false,
    checked: null,
    ...part
  };
}

/** What makes a target another host; `notebooks`: what it said of them. */
export function ofHost(
  part: Partial<NonNullable<ComputeTarget['facts']>> = {}
): Pick<ComputeTarget, 'ssh' | 'facts'> {
  return {
    ssh: {
      host: 'gpu1',
      port: 22,
      user: 'ada',
      folder: '~/.mlws',
      python: 'python3',
      host_key: 'ssh-ed25519 AAAAkept',
      fingerprint: 'SHA256:kept',
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

/** A host that somebody made a target of. */
export function aHost(part: Partial<ComputeTarget> = {}): ComputeTarget {
  return aTarget({
    name: 'lab',
    kind: 'ssh',
    description: '',
    made: true,
    kinds: ['command'],
    ssh: ofHost().ssh,
    ...part
  });
}

/** Slurm, which somebody made a target of. */
export function aSlurm(
  asked: Partial<NonNullable<ComputeTarget['slurm']>> = {}
): ComputeTarget {
  return aTarget({
    name: 'cluster',
    kind: 'slurm',
    description: '',
    made: true,
    max_jobs: 100,
    kinds: ['command', 'notebook'],
    slurm: {
      partition: null,
      account: null,
      qos: null,
      reservation: null,
      time_limit_s: null,
      python: '/usr/bin/python3',
      server_url: null,
      via: null,
      ...asked
    }
  });
}

/** PBS, which somebody made a target of. */
export function aPbs(
  asked: Partial<NonNullable<ComputeTarget['pbs']>> = {}
): ComputeTarget {
  return aTarget({
    name: 'cluster',
    kind: 'pbs',
    description: '',
    made: true,
    max_jobs: 100,
    kinds: ['command', 'notebook'],
    pbs: {
      queue: null,
      account: null,
      project: null,
      dialect: null,
      time_limit_s: null,
      python: '/usr/bin/python3',
      server_url: null,
      via: null,
      ...asked
    }
  });
}

/** LSF, which somebody made a target of. */
export function anLsf(
  asked: Partial<NonNullable<ComputeTarget['lsf']>> = {}
): ComputeTarget {
  return aTarget({
    ...aPbs(),
    kind: 'lsf',
    pbs: null,
    lsf: {
      queue: null,
      project: null,
      user_group: null,
      application: null,
      time_limit_s: null,
      python: '/usr/bin/python3',
      server_url: null,
      via: null,
      ...asked
    }
  });
}

/** The kernels of another Jupyter server, which somebody made a target of. */
export function aGateway(
  place: Partial<NonNullable<ComputeTarget['gateway']>> = {},
  part: Partial<ComputeTarget> = {}
): ComputeTarget {
  return aTarget({
    name: 'far',
    kind: 'gateway',
    description: '',
    made: true,
    max_jobs: 1,
    kinds: ['notebook'],
    gateway: {
      url: 'https://jupyter.lab',
      token: { workspace: 'default', name: 'FAR' },
      ca_file: null,
      server_url: null,
      kernel: null,
      patience_s: 300,
      insecure: false,
      ...place
    },
    ...part
  });
}

/** A job that has ended. */
export function anEndedJob(part: Partial<EndedJob> = {}): EndedJob {
  return {
    run_id: 'e',
    name: 'ended-1',
    workspace: 'default',
    experiment_id: '1',
    experiment_name: 'digits',
    kind: 'command',
    user: 'ada',
    status: 'Completed',
    reason: null,
    submitted_at: 0,
    ended_at: 3_700_000,
    waited_ms: 1000,
    ran_ms: 3_661_000,
    cpu_time_s: null,
    peak_memory_bytes: null,
    ...part
  };
}

/** What jobs used. */
export function aUse(part: Partial<Use> = {}): Use {
  return {
    jobs: 1,
    ran_ms: 1000,
    cpu_time_s: null,
    peak_memory_bytes: null,
    ...part
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
