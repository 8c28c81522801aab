import { MainAreaWidget, type WidgetTracker } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';

import { pageName, type IPageAddress } from '../lib/address';
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

interface IOpenPage {
  widget: PagePanel;
  page: IPage;
}

/** Opens pages: one panel a page; what is open already comes to the front. */
export class PanelOpener {
  /**
   * @param createPage - Makes the page of an address.
   */
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly tracker: WidgetTracker<PagePanel>,
    private readonly createPage: (address: IPageAddress) => IPage
  ) {}

  /** Opens the page of an address, and gives its panel. */
  open(address: IPageAddress): PagePanel {
    const name = pageName(address);
    const known = this._open.get(name);
    known?.page.show(address);
    const { widget } = known ?? this._create(name, address);
    this._attach(widget);
    this.shell.activateById(widget.id);
    return widget;
  }

  /** Adds what a restored layout has left out: a page that was opened just before a reload. */
  attachAll(): void {
    for (const { widget } of this._open.values()) {
      this._attach(widget);
    }
  }

  /** The name of an open page: the same as long as it is open. */
  nameOf(widget: PagePanel): string {
    return this._find(widget)?.[0] ?? '';
  }

  /** The address of an open page, as it stands now. */
  addressOf(widget: PagePanel): string {
    return this._find(widget)?.[1].page.address() ?? '';
  }

  private _attach(widget: PagePanel): void {
    if (!widget.isAttached) {
      this.shell.add(widget, 'main', { type: 'ML Workspace' });
    }
  }

  private _create(name: string, address: IPageAddress): IOpenPage {
    const page = this.createPage(address);
    const widget = new MainAreaWidget({ content: page.panel });
    widget.id = `jp-mlws-${name.replace('/', '-')}`;
    widget.title.closable = true;
    // The page has its own head.
    widget.toolbar.hide();
    const open = { widget, page };
    this._open.set(name, open);
    widget.disposed.connect(() => {
      this._open.delete(name);
    });
    void this.tracker.add(widget);
    return open;
  }

  private _find(widget: PagePanel): [string, IOpenPage] | undefined {
    return [...this._open].find(([, open]) => open.widget === widget);
  }

  private readonly _open = new Map<string, IOpenPage>();
}
