import type { TranslationBundle } from '@jupyterlab/translation';

import type { ComputeTarget, KernelChoice } from './types';

/** "local · 1 of 2 slots free". */
export function targetLabel(
  target: ComputeTarget,
  kind: string,
  trans: TranslationBundle
): string {
  const { name, max_jobs: slots, running } = target;
  if (target.state === 'unavailable') {
    return trans.__('%1 · unavailable', name);
  }
  if (!takesKind(target, kind)) {
    const missing = target.facts?.notebooks?.missing;
    return kind === 'notebook'
      ? missing
        ? trans.__('%1 · runs no notebooks: %2', name, missing)
        : trans.__('%1 · runs no notebooks', name)
      : trans.__('%1 · runs no jobs of this kind', name);
  }
  if (target.state === 'away') {
    return trans.__('%1 · cannot be reached now', name);
  }
  if (target.slurm) {
    // So many are submitted at once; which of them run Slurm decides.
    return trans.__(
      '%1 · Slurm has %2 of at most %3 jobs',
      name,
      running,
      slots
    );
  }
  const free = Math.max(0, slots - running);
  return trans._n(
    '%2 · %3 of %1 slot free',
    '%2 · %3 of %1 slots free',
    slots,
    name,
    free
  );
}

/** Whether a target takes jobs of a kind. */
export function takesKind(target: ComputeTarget, kind: string): boolean {
  return (
    target.state !== 'unavailable' &&
    (target.kinds === null || target.kinds.includes(kind))
  );
}

/** Whether jobs of a target run with what another host has installed: that of the target, or the one by whose way it submits. */
function isElsewhere(target: ComputeTarget | undefined): boolean {
  return Boolean(target?.ssh ?? target?.slurm?.via);
}

/** Whether a target surely refuses jobs of a kind. A host is asked anew by the submit: what it lacked may be there now. */
export function refusesKind(target: ComputeTarget, kind: string): boolean {
  return (
    !takesKind(target, kind) &&
    (!isElsewhere(target) || target.state === 'unavailable')
  );
}

/** Whether jobs of a target can have environments: they are built on the server's machine, and only its kernels can have them. */
export function takesEnvironments(target: ComputeTarget | undefined): boolean {
  return !isElsewhere(target) && !target?.gateway;
}

/**
 * The kernels that a notebook can have on a target: those of its machine.
 *
 * @param here - Those of the server's machine; undefined while they are not known.
 * @returns undefined where it is not known which there are; the job finds out.
 */
export function kernelsOn(
  target: ComputeTarget | undefined,
  here: readonly KernelChoice[] | undefined
): readonly KernelChoice[] | undefined {
  return isElsewhere(target) || target?.gateway
    ? target?.facts?.notebooks?.kernels
    : here;
}

/** Of which target a kernel is that a notebook was worked on in, and its name there; null for the kernels of this server. */
function partsOf(name: string): { target: string; kernel: string } | null {
  const [, target, kernel] =
    /^mlws-([a-z0-9][a-z0-9_-]*)\.(.+)$/i.exec(name) ?? [];
  return target && kernel ? { target: target.toLowerCase(), kernel } : null;
}

/** What a kernel is called on a target: a notebook that was worked on in one of its kernels names it as this server does. */
function nameThere(name: string, target: ComputeTarget | undefined): string {
  const parts = partsOf(name);
  return parts && target?.gateway && target.name.toLowerCase() === parts.target
    ? parts.kernel
    : name;
}

/** Why a kernel that cannot be had on a target is none to be chosen. */
export function missingKernel(name: string, trans: TranslationBundle): string {
  const parts = partsOf(name);
  return parts
    ? trans.__(
        'This kernel is %1 on the target %2: choose that target, or another kernel.',
        parts.kernel,
        parts.target
      )
    : trans.__('The kernel “%1” is not installed: choose another.', name);
}

/** Whether a kernel can be had on a target, as far as is known. */
export function hasKernel(
  name: string,
  target: ComputeTarget | undefined,
  here: readonly KernelChoice[] | undefined
): boolean {
  const kernels = kernelsOn(target, here);
  const there = nameThere(name, target);
  return kernels === undefined || kernels.some(kernel => kernel.name === there);
}

/** What becomes of a job submitted now that waits for nothing here. */
export function targetStart(
  target: ComputeTarget,
  trans: TranslationBundle
): string {
  return target.slurm
    ? trans.__('Goes to Slurm at once, which says when it starts.')
    : trans.__('Starts at once.');
}

/** What a job submitted now would wait for; empty when it waits for nothing here. */
export function targetWait(
  target: ComputeTarget,
  priority: number,
  trans: TranslationBundle
): string {
  if (target.state !== 'ready') {
    return target.detail || trans.__('It does not take jobs now.');
  }
  // The listed queue may be cut short; those beyond it are counted as before us.
  const behind = target.queue.filter(job => job.priority < priority).length;
  const ahead = Math.max(0, target.queued - behind);
  if (target.paused) {
    return trans.__('The queue of %1 is paused.', target.name);
  }
  const free = target.max_jobs - target.running;
  if (free > ahead) {
    return '';
  }
  return ahead > 0
    ? trans._n(
        'Waits for a slot: %1 job is queued before it.',
        'Waits for a slot: %1 jobs are queued before it.',
        ahead
      )
    : trans._n(
        'Waits for a slot: %1 job is running.',
        'Waits for a slot: %1 jobs are running.',
        target.running
      );
}
