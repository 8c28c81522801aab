import { Component, type ErrorInfo, type ReactNode } from 'react';

import { ErrorNotice } from '../ui/ErrorNotice';
import { useTrans } from '../ui/trans';

interface IErrorBoundaryState {
  error: unknown;
  failed: boolean;
}

/** Keeps a fault in one panel from taking others along, and shows what to report. */
export class ErrorBoundary extends Component<
  { children: ReactNode; onReset?: () => void },
  IErrorBoundaryState
> {
  override state: IErrorBoundaryState = { error: null, failed: false };

  static getDerivedStateFromError(error: unknown): IErrorBoundaryState {
    return { error, failed: true };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error('A panel of ML Workspace failed', error, info.componentStack);
  }

  private readonly _reset = (): void => {
    this.props.onReset?.();
    this.setState({ error: null, failed: false });
  };

  override render(): ReactNode {
    return this.state.failed ? (
      <Fault error={this.state.error} onRetry={this._reset} />
    ) : (
      this.props.children
    );
  }
}

function Fault(props: { error: unknown; onRetry: () => void }): JSX.Element {
  const trans = useTrans();
  return (
    <ErrorNotice
      title={trans.__('This panel failed.')}
      error={props.error}
      onRetry={props.onRetry}
    />
  );
}
