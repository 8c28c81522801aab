import { createContext, useContext, useSyncExternalStore } from 'react';

import type { ApiClient, UrlMaker } from './client';
import type { HintStream } from './hints';

/** What panels need to talk to the server. */
export interface IServerAccess {
  api: ApiClient;
  hints: HintStream;
  /** Addresses of downloads. */
  url: UrlMaker;
  /** Whole addresses of pages, to be passed on. */
  pageUrl: (address: string) => string;
}

const ServerContext = createContext<IServerAccess | null>(null);

/** Hands the server to a tree; the shell's panels contain it. */
export const ServerProvider = ServerContext.Provider;

function useServer(): IServerAccess {
  const server = useContext(ServerContext);
  if (!server) {
    throw new Error('useApi outside of a ServerProvider');
  }
  return server;
}

/** The typed client. */
export function useApi(): ApiClient {
  return useServer().api;
}

/** Addresses of downloads, for links. */
export function useUrl(): UrlMaker {
  return useServer().url;
}

/** Whole addresses of pages, to be passed on. */
export function usePageUrl(): (address: string) => string {
  return useServer().pageUrl;
}

/** Whether live updates have been missing for some seconds. */
export function useLost(): boolean {
  const { hints } = useServer();
  return useSyncExternalStore(
    listener => hints.onConnectedChanged(listener),
    () => hints.lost
  );
}

/** Whether live updates arrive at the moment. */
export function useLive(): boolean {
  const { hints } = useServer();
  return useSyncExternalStore(
    listener => hints.onConnectedChanged(listener),
    () => hints.connected
  );
}
