import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import createClient, { type Client } from 'openapi-fetch';

import { ApiError, ConnectionError } from './errors';
import type { paths } from './schema';

/** Typed calls to `<base>/mlws/api/v1`: `api.GET('/runs/{run_id}', { params, signal })`. */
export type ApiClient = Client<paths>;

/** Where the API stands below the server's base URL. */
const API_PATH = 'mlws/api/v1';

/** Makes the address of a file, for a link that the browser itself follows. */
export type UrlMaker = (
  path: string,
  query?: Readonly<Record<string, string>>
) => string;

/**
 * Addresses for downloads: the browser streams them to disk, so that a large file never stands in memory.
 *
 * @param settings - Where the server is; the page's own when left out.
 */
export function createUrlMaker(
  settings: ServerConnection.ISettings = ServerConnection.makeSettings()
): UrlMaker {
  return (path, query = {}) =>
    URLExt.join(settings.baseUrl, API_PATH, path) +
    URLExt.objectToQueryString(query);
}

/** Makes the whole address of a page: what is copied, and what a colleague opens. */
export function createPageUrlMaker(
  settings: ServerConnection.ISettings = ServerConnection.makeSettings()
): (address: string) => string {
  return address =>
    new URL(
      URLExt.join(settings.baseUrl, 'mlws/open', address),
      window.location.href
    ).href;
}

/**
 * Makes the client. All calls go through Jupyter's ServerConnection, so token, XSRF and base URL are those of the Lab.
 *
 * @param settings - Where the server is; the page's own when left out.
 */
export function createApiClient(
  settings: ServerConnection.ISettings = ServerConnection.makeSettings()
): ApiClient {
  return createClient<paths>({
    baseUrl: URLExt.join(settings.baseUrl, 'mlws/api/v1'),
    fetch: request => send(request, settings)
  });
}

/**
 * The data of a call, or a throw: `unwrap(api.GET(...))`.
 *
 * @throws ApiError when the server refuses; ConnectionError when it does not answer; the signal's
 * reason when the call was aborted.
 */
export async function unwrap<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>
): Promise<T> {
  const result = await call;
  // A 204 has no data, and then T says so.
  return result.data as T;
}

/** One request through ServerConnection; answers of 400 and more become ApiErrors. */
async function send(
  request: Request,
  settings: ServerConnection.ISettings
): Promise<Response> {
  const name = describe(request, settings);
  const response = await transmit(request, settings, name);
  if (!response.ok) {
    throw await ApiError.fromResponse(response, name);
  }
  return response;
}

async function transmit(
  request: Request,
  settings: ServerConnection.ISettings,
  name: string
): Promise<Response> {
  // A stream as a body needs HTTP/2 in Chromium; a blob does not.
  const body = request.body === null ? null : await request.blob();
  const init: RequestInit = {
    method: request.method,
    headers: Object.fromEntries(request.headers.entries()),
    signal: request.signal,
    // The default, no-store, makes ServerConnection add a bare number to the query.
    cache: 'default',
    ...(body !== null && body.size > 0 ? { body } : {})
  };
  try {
    return await ServerConnection.makeRequest(request.url, init, settings);
  } catch (error) {
    // ServerConnection wraps an abort in its NetworkError.
    if (request.signal.aborted) {
      throw request.signal.reason;
    }
    throw new ConnectionError(error, name);
  }
}

function describe(
  request: Request,
  settings: ServerConnection.ISettings
): string {
  const path = request.url.startsWith(settings.baseUrl)
    ? `/${request.url.slice(settings.baseUrl.length).replace(/^\//, '')}`
    : request.url;
  return `${request.method} ${path}`;
}
