import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, type RenderResult } from '@testing-library/react';
import type { ReactNode } from 'react';

import type { ApiClient } from '../api/client';
import { ServerProvider, type IServerAccess } from '../api/context';

/** What a call is given. */
export interface ICall {
  params?: {
    path?: Record<string, string>;
    query?: Record<string, unknown>;
  };
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

type Answer = (call: ICall) => unknown;

/** A client that answers by "GET /runs/{run_id}"; a throw is the server's refusal. */
export function anApi(answers: Readonly<Record<string, Answer>>): ApiClient {
  const method =
    (name: string) =>
    async (path: string, call: ICall = {}): Promise<unknown> => {
      const answer = answers[`${name} ${path}`];
      if (!answer) {
        throw new Error(`The test has no answer to ${name} ${path}`);
      }
      return { data: await answer(call), response: {} };
    };
  return {
    GET: method('GET'),
    POST: method('POST'),
    PUT: method('PUT'),
    PATCH: method('PATCH'),
    DELETE: method('DELETE')
  } as unknown as ApiClient;
}

/** A change stream that can be lost and found. */
export class FakeHints {
  connected = true;
  lost = false;

  onConnectedChanged(listener: () => void): () => void {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  /** Loses the connection, or finds it. */
  setLost(lost: boolean): void {
    this.lost = lost;
    this.connected = !lost;
    this._listeners.forEach(listener => listener());
  }

  private readonly _listeners = new Set<() => void>();
}

/** What `renderWithServer` gives. */
export interface IRenderedWithServer extends RenderResult {
  client: QueryClient;
  hints: FakeHints;
}

/** Draws a tree that talks to a server. */
export function renderWithServer(
  element: ReactNode,
  api: ApiClient
): IRenderedWithServer {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false }, mutations: { retry: false } }
  });
  const hints = new FakeHints();
  const server = {
    api,
    hints,
    url: (path: string) => `/api/${path}`,
    pageUrl: (address: string) => `/open/${address}`
  } as unknown as IServerAccess;
  const rendered = render(element, {
    wrapper: ({ children }) => (
      <QueryClientProvider client={client}>
        <ServerProvider value={server}>{children}</ServerProvider>
      </QueryClientProvider>
    )
  });
  return { ...rendered, client, hints };
}
