import { MainAreaWidget, type WidgetTracker } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';

import { parseAddress, type IPageAddress } from '../lib/address';
import type { ReactPanel } from './reactPanel';

/** A page of the main area. */
export type PagePanel = MainAreaWidget<ReactPanel>;

/** A page that can be shown in several ways. */
export interface IPage {
  panel: ReactPanel;
  /** Shows another part of the page that is open already. */
  show: (address: IPageAddress) => void;
  /** The address as it stands now, for the layout. */
  address: () => string;
}

/** Opens pages: one panel an address; what is open already comes to the front. */
export class PanelOpener {
  /**
   * @param createPage - Makes the page of an address.
   */
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly tracker: WidgetTracker<PagePanel>,
    private readonly createPage: (address: IPageAddress) => IPage
  ) {}

  /**
   * Opens the page of an address.
   *
   * @returns The panel; null when the text is no address.
   */
  open(text: string): PagePanel | null {
    const address = parseAddress(text);
    if (!address) {
      console.warn(`ML Workspace has no page "${text}"`);
      return null;
    }
    const key = `${address.kind}/${address.id}`;
    const known = this._open.get(key);
    if (known) {
      known.page.show(address);
      this.shell.activateById(known.widget.id);
      return known.widget;
    }
    const page = this.createPage(address);
    const widget = new MainAreaWidget({ content: page.panel });
    widget.id = `jp-mlws-${address.kind}-${address.id}`;
    widget.title.closable = true;
    // The page has its own head.
    widget.toolbar.hide();
    this._open.set(key, { widget, page });
    widget.disposed.connect(() => {
      this._open.delete(key);
    });
    void this.tracker.add(widget);
    this.shell.add(widget, 'main', { type: 'ML Workspace' });
    this.shell.activateById(widget.id);
    return widget;
  }

  /** The address of an open panel, as it stands now. */
  addressOf(widget: PagePanel): string {
    for (const { widget: open, page } of this._open.values()) {
      if (open === widget) {
        return page.address();
      }
    }
    return '';
  }

  private readonly _open = new Map<
    string,
    { widget: PagePanel; page: IPage }
  >();
}
