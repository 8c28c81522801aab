import { ServerConnection } from '@jupyterlab/services';

import { createApiClient, unwrap } from '../client';
import { ApiError, ConnectionError } from '../errors';

/** The client with untyped paths: there is no schema to these tests. */
interface ILooseClient {
  GET: (
    path: string,
    options?: { signal?: AbortSignal }
  ) => Promise<{ data?: unknown; response: Response }>;
  POST: (
    path: string,
    options?: { body?: unknown }
  ) => Promise<{ data?: unknown; response: Response }>;
}

type Send = (request: Request) => Promise<Response>;

function clientWith(send: Send): ILooseClient {
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://lab.test/user/me/',
    token: 'sesame',
    Request,
    fetch: send as typeof fetch
  });
  return createApiClient(settings) as unknown as ILooseClient;
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json' }
  });
}

describe('createApiClient', () => {
  it('calls below the base URL with the token, and leaves the query alone', async () => {
    const send = jest.fn<Promise<Response>, [Request]>(() =>
      Promise.resolve(json({ runs: [] }))
    );
    const data = await unwrap(clientWith(send).GET('/runs'));
    const request = send.mock.calls[0]?.[0] as Request;
    expect(data).toEqual({ runs: [] });
    expect(request.url).toBe('http://lab.test/user/me/mlws/api/v1/runs');
    expect(request.headers.get('Authorization')).toBe('token sesame');
  });

  it('hands the body over', async () => {
    const send = jest.fn<Promise<Response>, [Request]>(async request =>
      json(await request.json())
    );
    const call = clientWith(send).POST('/runs', { body: { name: 'a' } });
    expect(await unwrap(call)).toEqual({ name: 'a' });
  });

  it('throws what the server says', async () => {
    const send: Send = () =>
      Promise.resolve(json({ error: { code: 'taken', message: 'No.' } }, 409));
    const call = clientWith(send).POST('/runs', { body: {} });
    await expect(call).rejects.toMatchObject({
      status: 409,
      code: 'taken',
      request: 'POST /mlws/api/v1/runs'
    });
    await expect(call).rejects.toBeInstanceOf(ApiError);
  });

  it('tells a silent server from an aborted call', async () => {
    const send: Send = () => Promise.reject(new TypeError('Failed to fetch'));
    const client = clientWith(send);
    await expect(client.GET('/runs')).rejects.toBeInstanceOf(ConnectionError);
    const controller = new AbortController();
    const call = client.GET('/runs', { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });
});
