import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import {
  hasKernel,
  kernelsOn,
  nameThere,
  targetOfKernel,
  type IKernels
} from './kernels';
import { jobQueries } from './queries';
import { isElsewhere } from './target';
import type { ISubject, KernelChoice } from './types';

/** The kernels of a target's machine. */
export interface IThere extends IKernels {
  /** undefined where it is not known which there are. */
  kernels: readonly KernelChoice[] | undefined;
  /** What one is called there. */
  nameOf: (kernel: string) => string;
  /** The kernel that the notebook has there in place of its own; null where it has its own, or none. */
  instead: string | null;
  /** Whether that is left to the submit: a host is asked anew then. */
  asked: boolean;
}

/** What a notebook finds on the target of this name. */
export function useThere(name: string, subject: ISubject): IThere {
  const api = useApi();
  const { data: here } = useQuery(jobQueries.kernels(api));
  const { data: targets } = useQuery(jobQueries.targets(api));
  const target = targets?.find(one => one.name === name);
  const known = here ?? (isElsewhere(target) || target?.gateway);
  const has = (kernel: string): boolean =>
    known
      ? hasKernel(kernel, target, here)
      : kernel !== subject.kernel || subject.kernel_available;
  const usual = target?.gateway?.kernel ?? null;
  // A job that is run again names its kernel: it has no other in its place.
  const instead =
    !subject.job && subject.kernel && usual && !has(subject.kernel)
      ? usual
      : null;
  return {
    kernels: kernelsOn(target, here),
    asked: isElsewhere(target),
    has: kernel =>
      has(kernel) ||
      (kernel === subject.kernel && instead !== null && has(instead)),
    nameOf: kernel => nameThere(kernel, target),
    instead,
    whose: kernel =>
      has(kernel) ? null : targetOfKernel(kernel, targets ?? [])
  };
}
