import type { ITranslator } from '@jupyterlab/translation';
import {
  QueryClientProvider,
  useQueryErrorResetBoundary
} from '@tanstack/react-query';
import { Suspense, type ReactNode } from 'react';

import { ServerProvider } from '../api/context';
import type { IWorkspaceConnection } from '../tokens';
import { Skeleton } from '../ui/Skeleton';
import { TransProvider } from '../ui/trans';
import { ErrorBoundary } from './ErrorBoundary';

export interface IProvidersProps {
  connection: IWorkspaceConnection;
  translator: ITranslator | null;
}

/** Everything a tree of ours needs around it, in a panel or in a dialog. */
export function Providers(
  props: IProvidersProps & { children: ReactNode }
): JSX.Element {
  const { connection, translator, children } = props;
  return (
    <TransProvider translator={translator}>
      <QueryClientProvider client={connection.queryClient}>
        <ServerProvider value={connection}>
          <Guard>{children}</Guard>
        </ServerProvider>
      </QueryClientProvider>
    </TransProvider>
  );
}

/** An error boundary whose Retry also lets failed queries start anew, and rows in place of code that loads. */
function Guard(props: { children: ReactNode }): JSX.Element {
  const { reset } = useQueryErrorResetBoundary();
  return (
    <ErrorBoundary onReset={reset}>
      <Suspense fallback={<Skeleton />}>{props.children}</Suspense>
    </ErrorBoundary>
  );
}
