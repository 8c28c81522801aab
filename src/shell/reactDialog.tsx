import { ReactWidget } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { FormDialog } from './FormDialog';
import { Providers, type IProvidersProps } from './Providers';

export interface IReactDialogOptions extends IProvidersProps {
  title: string;
  /** A form, with its own buttons; `close` takes the dialog away. */
  body: (close: () => void) => ReactElement;
}

class DialogBody extends ReactWidget {
  constructor(private readonly element: () => ReactElement) {
    super();
    this.addClass('jp-mlws-dialog-body');
  }

  protected override render(): ReactElement {
    return this.element();
  }
}

/**
 * Shows a form in the Lab's dialog. Only where no panel or inline edit serves.
 *
 * @returns When the dialog is gone.
 */
export async function openReactDialog(
  options: IReactDialogOptions
): Promise<void> {
  const { connection, translator, title, body } = options;
  const close = (): void => dialog.reject();
  const dialog = new FormDialog({
    title,
    body: new DialogBody(() => (
      <Providers connection={connection} translator={translator}>
        {body(close)}
      </Providers>
    )),
    buttons: [],
    hasClose: true
  });
  dialog.addClass('jp-mlws-dialog');
  await dialog.launch();
}
