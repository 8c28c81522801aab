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
