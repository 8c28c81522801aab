/** The kernels of notebooks, on the machines that there are. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { isElsewhere } from './target';
import type { ComputeTarget, KernelChoice } from './types';

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

function isOf(name: string, target: ComputeTarget | undefined): boolean {
  const of = partsOf(name)?.target;
  return Boolean(target?.gateway) && target?.name.toLowerCase() === of;
}

/** What a kernel is called on a target: a notebook that was worked on in one of its kernels names it as this server does. */
export function nameThere(
  name: string,
  target: ComputeTarget | undefined
): string {
  return (isOf(name, target) && partsOf(name)?.kernel) || name;
}

/** The target whose kernel has this name here; null for a kernel of no other server. */
export function targetOfKernel(
  name: string,
  targets: readonly ComputeTarget[]
): string | null {
  return targets.find(one => isOf(name, one))?.name ?? null;
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

/** What is known of the kernels that there are. */
export interface IKernels {
  /** Whether one can be had on a target, as far as is known, or another one in its place. */
  has: (kernel: string) => boolean;
  /** The target whose kernel one is, if it is another one's. */
  whose: (kernel: string) => string | null;
}

/** What is wrong with a kernel; empty where nothing is. */
export function kernelProblem(
  kernel: string,
  { has, whose }: IKernels,
  trans: TranslationBundle
): string {
  if (!kernel) {
    return trans.__('The notebook names no kernel: choose one.');
  }
  if (has(kernel)) {
    return '';
  }
  const target = whose(kernel);
  return target
    ? trans.__(
        'It is one of %1: choose that target, or another kernel.',
        target
      )
    : trans.__('The kernel “%1” is not installed: choose another.', kernel);
}
