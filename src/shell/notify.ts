import { Notification } from '@jupyterlab/apputils';

/** Tells of a failure. It stands until it is closed: without `autoClose` the Lab shows nothing at all. */
export function tellFailure(text: string): void {
  Notification.error(text, { autoClose: false });
}

/** Tells what does not work as asked. */
export function tellWarning(text: string): void {
  Notification.warning(text, { autoClose: false });
}
