import type { IRouter } from '@jupyterlab/application';

import { PAGE_PARAMETER, takeAddress } from '../lib/address';

/** Where the rule finds that an address of ours is in the URL. */
export const PAGE_PATTERN = new RegExp(`[?&]${PAGE_PARAMETER}=`);

/**
 * Opens what the Lab's address asks for, and takes it out of the address: a reload must not open it
 * again after it was closed.
 */
export function followAddress(
  router: IRouter,
  search: string,
  open: (address: string) => void
): void {
  const { address, rest } = takeAddress(search);
  const { path, hash } = router.current;
  router.navigate(`${path}${rest}${hash}`, { skipRouting: true });
  if (address) {
    open(address);
  }
}
