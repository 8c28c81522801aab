/** Addresses of pages: "runs/<id>" and "runs/<id>/<tab>", as the CLI prints them and links carry them. */

/** What an address names. */
export interface IPageAddress {
  kind: 'runs';
  /** 32 hexadecimal digits. */
  id: string;
  /** The tab to show; null is the page's own choice. */
  tab: string | null;
}

const RUN = /^runs\/([0-9a-f]{32})(?:\/([a-z]{1,20}))?\/?$/;

/**
 * Reads an address. It may come from a link that anyone has made, so nothing but the exact form passes.
 *
 * @returns null for anything that is no address.
 */
export function parseAddress(text: string): IPageAddress | null {
  const found = RUN.exec(text.trim());
  const id = found?.[1];
  return id ? { kind: 'runs', id, tab: found[2] ?? null } : null;
}

/** The address of a run's page. */
export function runAddress(id: string, tab?: string | null): string {
  return tab ? `runs/${id}/${tab}` : `runs/${id}`;
}

/** Hosts that mean the server's machine, or the near end of a tunnel to it: never somebody else's. */
const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * The address in a link such as "/user/me/mlws/open/runs/<id>", as kernels and the CLI make them.
 *
 * A kernel knows its server as 127.0.0.1, where it cannot be reached behind a hub, a proxy or a tunnel; such a
 * link counts as one to this server, too.
 *
 * @param href - As it stands in the link.
 * @param baseUrl - The base URL of the Jupyter server.
 * @param here - The URL of the document.
 * @returns null for a link to anywhere else, to another person's server on the same hub as well.
 */
export function linkedAddress(
  href: string,
  baseUrl: string,
  here: string
): string | null {
  let link: URL;
  let base: URL;
  try {
    link = new URL(href, here);
    base = new URL(baseUrl, here);
  } catch {
    return null;
  }
  const root = `${base.pathname.replace(/\/$/, '')}/mlws/open/`;
  const isHttp = link.protocol === 'http:' || link.protocol === 'https:';
  const isOurs =
    link.origin === base.origin || LOOPBACK.includes(link.hostname);
  if (!isHttp || !isOurs || !link.pathname.startsWith(root)) {
    return null;
  }
  const address = link.pathname.slice(root.length);
  return parseAddress(address) ? address : null;
}

/** The name of the query parameter that opens a page: `/lab?mlws=runs/<id>`. */
export const PAGE_PARAMETER = 'mlws';

/** Takes an address out of a query string, and the query without it. */
export function takeAddress(search: string): {
  address: string | null;
  rest: string;
} {
  const query = new URLSearchParams(search);
  const address = query.get(PAGE_PARAMETER);
  query.delete(PAGE_PARAMETER);
  const rest = query.toString();
  return { address, rest: rest ? `?${rest}` : '' };
}
