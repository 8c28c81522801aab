import type { VirtualElement } from '@lumino/virtualdom';
import { createRoot, type Root } from 'react-dom/client';

import { StatusIcon, type RunStatus } from '../ui';

/** Draws a run's status as the icon of a Lumino tab. */
export class StatusTitleIcon implements VirtualElement.IRenderer {
  constructor(private readonly status: RunStatus) {}

  render(host: HTMLElement): void {
    this._root = createRoot(host);
    this._root.render(
      <span className="jp-mlws-status" data-status={this.status}>
        <StatusIcon status={this.status} />
      </span>
    );
  }

  unrender(): void {
    const root = this._root;
    this._root = null;
    // Lumino may call this in the midst of React's own drawing.
    window.setTimeout(() => root?.unmount());
  }

  private _root: Root | null = null;
}
