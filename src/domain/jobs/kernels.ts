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

/** What a kernel is called on a target: a notebook that was worked on in one of its kernels names it as this server does. */
export function nameThere(
  name: string,
  target: ComputeTarget | undefined
): string {
  return target?.gateway && isOf(name, target)
    ? name.slice(prefixOf(target).length)
    : name;
}

function prefixOf(target: ComputeTarget): string {
  return `mlws-${target.name}-`.toLowerCase();
}

function isOf(name: string, target: ComputeTarget): boolean {
  return name.toLowerCase().startsWith(prefixOf(target));
}

/** The target whose kernel has this name here; null for a kernel of no other server. */
export function targetOfKernel(
  name: string,
  targets: readonly ComputeTarget[]
): string | null {
  return (
    targets
      .filter(one => one.gateway && isOf(name, one))
      // `a-b` with `c` is called as `a` with `b-c`: who has it is taken first.
      .sort((a, b) => Number(knows(b, name)) - Number(knows(a, name)))[0]
      ?.name ?? null
  );
}

function knows(target: ComputeTarget, name: string): boolean {
  return hasKernel(name, target, undefined);
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
