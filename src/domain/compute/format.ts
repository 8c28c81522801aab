import type { TranslationBundle } from '@jupyterlab/translation';

import { formatBytes, formatDuration } from '../../lib/format';
import type {
  Amounts,
  ComputeTarget,
  HostFacts,
  SshPlace,
  TargetCheck,
  UserUse
} from './types';

/** A bar: how much of something is taken. */
export interface IMeter {
  id: 'slots' | 'cpus' | 'memory' | 'gpus';
  label: string;
  /** What is taken, of `max`. */
  value: number;
  max: number;
  /** The same in words. */
  text: string;
  /** What jobs have asked for, where they have. */
  reserved?: string;
}

/** The bars of a target, as far as it can tell. */
export function metersOf(
  target: ComputeTarget,
  trans: TranslationBundle
): IMeter[] {
  const { total, reserved } = target;
  const meters: IMeter[] = [
    {
      id: 'slots',
      label: trans.__('Jobs'),
      value: target.running,
      max: target.max_jobs,
      text: trans.__('%1 of %2', target.running, target.max_jobs)
    }
  ];
  if (target.cpu_count !== null && target.load !== null) {
    meters.push({
      id: 'cpus',
      label: trans.__('CPUs'),
      value: Math.min(target.load, target.cpu_count),
      max: target.cpu_count,
      text: trans.__('%1 of %2', target.load.toFixed(1), target.cpu_count),
      ...(reserved.cpus &&
        total.cpus !== null && {
          reserved: trans.__(
            'Jobs asked for %1 of %2',
            reserved.cpus,
            total.cpus
          )
        })
    });
  }
  if (target.memory_bytes !== null && target.memory_used_bytes !== null) {
    const text = ofBytes(target.memory_used_bytes, target.memory_bytes, trans);
    meters.push({
      id: 'memory',
      label: trans.__('Memory'),
      value: target.memory_used_bytes,
      max: target.memory_bytes,
      text,
      ...(reserved.memory_bytes &&
        total.memory_bytes !== null && {
          reserved: trans.__(
            'Jobs asked for %1',
            ofBytes(reserved.memory_bytes, total.memory_bytes, trans)
          )
        })
    });
  }
  if (total.gpus) {
    meters.push({
      id: 'gpus',
      label: trans.__('GPUs'),
      value: reserved.gpus ?? 0,
      max: total.gpus,
      text: trans.__('%1 of %2', reserved.gpus ?? 0, total.gpus)
    });
  }
  return meters;
}

/** "1.8 of 23.5 GiB": the unit once, where it is the same. */
function ofBytes(
  part: number,
  whole: number,
  trans: TranslationBundle
): string {
  const [taken, all] = [formatBytes(part), formatBytes(whole)];
  const unit = all.slice(all.lastIndexOf(' '));
  return trans.__(
    '%1 of %2',
    taken.endsWith(unit) ? taken.slice(0, -unit.length) : taken,
    all
  );
}

/** "4 CPUs, 8 GiB, 1 GPU": what a job asks for; empty where it asks for nothing. */
export function asksText(asks: Amounts, trans: TranslationBundle): string {
  return [
    asks.cpus && trans._n('%1 CPU', '%1 CPUs', asks.cpus),
    asks.memory_bytes && formatBytes(asks.memory_bytes),
    asks.gpus && trans._n('%1 GPU', '%1 GPUs', asks.gpus)
  ]
    .filter(Boolean)
    .join(', ');
}

/** CPU time as a clock: "1:30:00" is one and a half CPU hours. */
export function cpuText(seconds: number | null): string {
  return formatDuration(seconds === null ? null : seconds * 1000);
}

/** What users are compared by. */
export type Measure = 'jobs' | 'ran_ms' | 'cpu_time_s' | 'peak_memory_bytes';

/** Users by what they used of something, the most first. */
export function byMeasure(
  users: readonly UserUse[],
  measure: Measure
): UserUse[] {
  return [...users].sort(
    (a, b) =>
      (b[measure] ?? -1) - (a[measure] ?? -1) || a.user.localeCompare(b.user)
  );
}

/** How long the bar of a user is, from 0 to 1: the longest is that of who used most. */
export function shareOf(
  use: UserUse,
  users: readonly UserUse[],
  measure: Measure
): number {
  const most = Math.max(...users.map(one => one[measure] ?? 0));
  return most > 0 ? (use[measure] ?? 0) / most : 0;
}

/** "gpu1: Linux on x86_64, 8 CPUs, 16 GiB, 2 GPUs". */
export function factsText(facts: HostFacts, trans: TranslationBundle): string {
  const { host, system, machine, cpus, memory, gpus } = facts;
  const has = asksText(
    { cpus, memory_bytes: memory, gpus: gpus.length },
    trans
  );
  const what = trans.__('%1: %2 on %3', host, system, machine);
  return [what, has].filter(Boolean).join(', ');
}

/** The kernels that a host has for notebooks, or why it runs none; empty while it was not asked. */
export function notebooksText(
  facts: HostFacts | null,
  trans: TranslationBundle
): string {
  const found = facts?.notebooks;
  if (!found) {
    return '';
  }
  return found.missing
    ? trans.__('none: %1', found.missing)
    : trans.__(
        'with the kernels %1',
        found.kernels.map(kernel => kernel.name).join(', ')
      );
}

/** Where the private key comes from. */
export function keyText(place: SshPlace, trans: TranslationBundle): string {
  return place.key
    ? trans.__('the secret %1 of %2', place.key.name, place.key.workspace)
    : trans.__('the SSH agent of the server');
}

/** What deleting a target takes away, and what it leaves. */
export function deletionText(
  target: ComputeTarget,
  trans: TranslationBundle
): string[] {
  const { name, ssh, gateway, queued } = target;
  const secret = ssh?.key ?? gateway?.token;
  return [
    ssh
      ? trans.__(
          'Jobs can no longer be sent to %1. Its past jobs stay as they are, and so does what lies on the host.',
          name
        )
      : gateway
        ? trans.__(
            'Jobs can no longer be sent to %1, and its kernels leave the launcher. Its past jobs stay as they are.',
            name
          )
        : trans.__(
            'Jobs can no longer be sent to %1. Its past jobs stay as they are.',
            name
          ),
    secret
      ? trans.__(
          'The secret %1 of %2 stays, too.',
          secret.name,
          secret.workspace
        )
      : '',
    queued > 0
      ? trans._n(
          '%1 job waits for it, and goes on waiting until there is a target of this name again.',
          '%1 jobs wait for it, and go on waiting until there is a target of this name again.',
          queued
        )
      : ''
  ].filter(Boolean);
}

/** "at most 2 jobs, 4 CPUs"; empty where there is no limit. */
export function perUserText(
  user: ComputeTarget['per_user'],
  trans: TranslationBundle
): string {
  const parts = [
    user.max_jobs && trans._n('%1 job', '%1 jobs', user.max_jobs),
    asksText(user, trans)
  ].filter(Boolean);
  return parts.length > 0 ? trans.__('at most %1', parts.join(', ')) : '';
}

/** What a step of a test came to, in a word. */
export function stepLabel(
  state: TargetCheck['steps'][number]['state'],
  trans: TranslationBundle
): string {
  return {
    ok: trans.__('ok'),
    missing: trans.__('missing'),
    failed: trans.__('failed'),
    skipped: trans.__('skipped')
  }[state];
}
