import { linkedAddress } from '../lib/address';

/**
 * Opens the pages that links lead to in this Lab, wherever in the document they are clicked: in the outputs of
 * notebooks above all. Clicks with the middle button or a key held down stay the browser's.
 *
 * @param root - What is listened to.
 * @param baseUrl - The base URL of the Jupyter server.
 * @param open - Opens the page of an address.
 * @returns Ends it.
 */
export function followLinks(
  root: Document,
  baseUrl: string,
  open: (address: string) => void
): () => void {
  const follow = (event: MouseEvent): void => {
    const held =
      event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || event.button !== 0 || held) {
      return;
    }
    const link =
      event.target instanceof Element ? event.target.closest('a[href]') : null;
    const href = link?.getAttribute('href');
    const address = href ? linkedAddress(href, baseUrl, root.baseURI) : null;
    if (address) {
      event.preventDefault();
      open(address);
    }
  };
  root.addEventListener('click', follow);
  return () => root.removeEventListener('click', follow);
}
