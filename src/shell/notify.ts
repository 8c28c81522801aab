import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** How long "Undo" stands, in ms. */
const UNDO_MS = 10_000;
const COPIED_MS = 3_000;

/** Tells of a failure. It stands until it is closed: without `autoClose` the Lab shows nothing at all. */
export function tellFailure(text: string): void {
  Notification.error(text, { autoClose: false });
}

/** Tells what does not work as asked. */
export function tellWarning(text: string): void {
  Notification.warning(text, { autoClose: false });
}

/** Tells what was done, with a way to it. */
export function tellWithLink(
  text: string,
  label: string,
  follow: () => void
): void {
  Notification.success(text, {
    autoClose: UNDO_MS,
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
    autoClose: UNDO_MS,
    actions: [{ label: trans.__('Undo'), callback: undo }]
  });
}
