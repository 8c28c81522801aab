import type { TranslationBundle } from '@jupyterlab/translation';

import { batchOf } from '../compute';
import type { ComputeTarget } from './types';

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
  const batch = batchOf(target);
  if (batch) {
    // So many are submitted at once; which of them run it decides.
    return trans.__(
      '%1 · %2 has %3 of at most %4 jobs',
      name,
      batch.name,
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
export function isElsewhere(target: ComputeTarget | undefined): boolean {
  return Boolean(target?.ssh ?? batchOf(target)?.place.via);
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

/** What becomes of a job submitted now that waits for nothing here. */
export function targetStart(
  target: ComputeTarget,
  trans: TranslationBundle
): string {
  const batch = batchOf(target);
  return batch
    ? trans.__('Goes to %1 at once, which says when it starts.', batch.name)
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

/** What becomes of a snapshot's files, and of paths that it leaves out, on a target. */
export function snapshotWords(
  target: ComputeTarget | undefined,
  left: number,
  trans: TranslationBundle
): { files: string; left: string } {
  if (target?.gateway) {
    return {
      files: trans.__(
        'They are kept with the run; its kernel on %1 sees none of them.',
        target.name
      ),
      left: trans._n(
        '%1 path is not captured, nor is it there.',
        '%1 paths are not captured, nor are they there.',
        left
      )
    };
  }
  if (isElsewhere(target)) {
    return {
      files: '',
      left: trans._n(
        '%1 path is not captured: it is not there on %2.',
        '%1 paths are not captured: they are not there on %2.',
        left,
        target?.name
      )
    };
  }
  return {
    files: '',
    left: batchOf(target)
      ? trans._n(
          '%1 path is not captured: the job sees the original, where its node sees it.',
          '%1 paths are not captured: the job sees the originals, where its node sees them.',
          left
        )
      : trans._n(
          '%1 path is not captured: the job sees the original.',
          '%1 paths are not captured: the job sees the originals.',
          left
        )
  };
}
