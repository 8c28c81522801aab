import type { ComputeTarget } from './types';

/** What a batch system is asked for. */
export type BatchPlace = NonNullable<
  ComputeTarget['slurm'] | ComputeTarget['pbs'] | ComputeTarget['lsf']
>;

/** The batch system that a target submits to, by its name, and what it is asked for; null where it is none. */
export function batchOf(
  target: Pick<ComputeTarget, 'slurm' | 'pbs' | 'lsf'> | undefined
): { name: string; place: BatchPlace } | null {
  if (target?.slurm) {
    return { name: 'Slurm', place: target.slurm };
  }
  if (target?.pbs) {
    return { name: 'PBS', place: target.pbs };
  }
  return target?.lsf ? { name: 'LSF', place: target.lsf } : null;
}
