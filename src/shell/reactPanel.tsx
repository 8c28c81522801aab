import { ReactWidget, type LabIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { Providers, type IProvidersProps } from './Providers';

export interface IReactPanelOptions extends IProvidersProps {
  /** The widget's id: unique in the Lab, and stable, since layouts are restored by it. */
  id: string;
  /** The tab's words; a sidebar shows only the icon. */
  label?: string;
  /** The tab's tooltip. */
  caption: string;
  icon: LabIcon;
  closable?: boolean;
  /** What the panel shows. */
  body: () => ReactElement;
}

/** A Lumino widget that hosts a React tree with the workspace's providers. */
export class ReactPanel extends ReactWidget {
  constructor(private readonly options: IReactPanelOptions) {
    super();
    this.id = options.id;
    this.title.label = options.label ?? '';
    this.title.caption = options.caption;
    this.title.icon = options.icon;
    this.title.closable = options.closable ?? false;
    this.addClass('jp-mlws-panel');
  }

  protected override render(): ReactElement {
    const { connection, translator, body } = this.options;
    return (
      <Providers connection={connection} translator={translator}>
        {body()}
      </Providers>
    );
  }
}
