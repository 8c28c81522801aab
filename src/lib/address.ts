/**
 * Addresses of pages, as the CLI prints them and links carry them:
 *
 *     runs/<id>, runs/<id>/<tab>      the page of a run
 *     experiments/<id>                an experiment, in the sidebar
 *     workspaces/<name>               a workspace, in the sidebar
 *     workspaces/<name>/details       the same on the page of the workspaces
 *     compute/<name>                  the page of a compute target
 */

/** What an address names. */
export interface IPageAddress {
  kind: 'runs' | 'experiments' | 'workspaces' | 'compute';
  /** Of a run 32 hexadecimal digits, of an experiment its id, of a workspace and of a target its name. */
  id: string;
  /** The part of the page to show; null is the page's own choice. */
  tab: string | null;
}

const FORMS: Readonly<Record<IPageAddress['kind'], RegExp>> = {
  runs: /^runs\/([0-9a-f]{32})(?:\/([a-z]{1,20}))?\/?$/,
  experiments: /^experiments\/([0-9a-z]{1,32})\/?$/,
  workspaces:
    /^workspaces\/([A-Za-z0-9][A-Za-z0-9_-]{0,62})(?:\/(details))?\/?$/,
  // Names in the server's settings may have a point.
  compute: /^compute\/([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\/?$/
};

function isKind(word: string | undefined): word is IPageAddress['kind'] {
  return word !== undefined && Object.hasOwn(FORMS, word);
}

/**
 * Reads an address. It may come from a link that anyone has made, so nothing but the exact form passes.
 *
 * @returns null for anything that is no address.
 */
export function parseAddress(text: string): IPageAddress | null {
  const kind = text.trim().split('/', 1)[0];
  if (!isKind(kind)) {
    return null;
  }
  const found = FORMS[kind].exec(text.trim());
  const id = found?.[1];
  return id ? { kind, id, tab: found[2] ?? null } : null;
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

/** The address of an experiment. */
export function experimentAddress(id: string): string {
  return `experiments/${id}`;
}

/** The address of a workspace: in the sidebar, or on the page where workspaces are managed. */
export function workspaceAddress(name: string, part?: 'details'): string {
  return part ? `workspaces/${name}/${part}` : `workspaces/${name}`;
}

/** The address of a compute target; null for a name that no address can have. */
export function computeAddress(name: string): string | null {
  const address = `compute/${name}`;
  return parseAddress(address) ? address : null;
}

/** Whether an address has a page in the main area; the others are places in the sidebar. */
export function hasPage(address: IPageAddress): boolean {
  const { kind, tab } = address;
  return kind === 'runs' || kind === 'compute' || tab !== null;
}

/**
 * The name of the page that shows an address: one a run, one a compute target, one for all workspaces. It stays the same while
 * the page shows another part of itself, since layouts are restored by it.
 */
export function pageName(address: IPageAddress): string {
  const { kind, id } = address;
  return kind === 'runs' || kind === 'compute' ? `${kind}/${id}` : kind;
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
