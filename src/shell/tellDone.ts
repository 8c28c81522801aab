import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { tellWarning } from './notify';

/** How long a way back, or a way to it, stands, in ms. */
const ACTION_MS = 10_000;
const COPIED_MS = 3_000;

/** Tells what was done, with a way to it. */
export function tellWithLink(
  text: string,
  label: string,
  follow: () => void
): void {
  Notification.success(text, {
    autoClose: ACTION_MS,
    actions: [{ label, callback: follow }]
  });
}

/** Tells that something is on the clipboard, or that it could not be put there. */
export function tellCopied(
  copied: boolean,
  text: string,
  trans: TranslationBundle
): void {
  if (copied) {
    Notification.info(trans.__('Copied: %1', text), { autoClose: COPIED_MS });
  } else {
    tellWarning(
      trans.__('The browser does not let the page copy. The text is: %1', text)
    );
  }
}

/** Tells what was done, with a way back. */
export function tellWithUndo(
  text: string,
  trans: TranslationBundle,
  undo: () => void
): void {
  Notification.info(text, {
    autoClose: ACTION_MS,
    actions: [{ label: trans.__('Undo'), callback: undo }]
  });
}
