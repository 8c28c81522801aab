import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** How long "Undo" stands, in ms. */
const UNDO_MS = 10_000;

/** Tells of a failure. It stands until it is closed: without `autoClose` the Lab shows nothing at all. */
export function tellFailure(text: string): void {
  Notification.error(text, { autoClose: false });
}

/** Tells what does not work as asked. */
export function tellWarning(text: string): void {
  Notification.warning(text, { autoClose: false });
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
