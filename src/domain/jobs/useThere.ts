import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import { jobQueries } from './queries';
import { hasKernel, kernelsOn } from './target';
import type { ISubject, KernelChoice } from './types';

/** The kernels of a target's machine. */
export interface IThere {
  /** undefined where it is not known which there are. */
  kernels: readonly KernelChoice[] | undefined;
  /** Whether one can be had there, as far as is known. */
  has: (kernel: string) => boolean;
  /** Whether that is left to the submit: a host is asked anew then. */
  asked: boolean;
}

/** What a notebook finds on the target of this name. */
export function useThere(name: string, subject: ISubject): IThere {
  const api = useApi();
  const { data: here } = useQuery(jobQueries.kernels(api));
  const { data: targets } = useQuery(jobQueries.targets(api));
  const target = targets?.find(one => one.name === name);
  return {
    kernels: kernelsOn(target, here),
    asked: Boolean(target?.ssh),
    has: kernel =>
      here || target?.ssh
        ? hasKernel(kernel, target, here)
        : kernel !== subject.kernel || subject.kernel_available
  };
}
