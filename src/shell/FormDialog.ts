import { Dialog } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';

const FIELD = 'input, select, textarea';
const FOCUSABLE = `a[href], button, summary, [tabindex], ${FIELD}`;

/**
 * The Lab's dialog around a form that has its own buttons. The Lab's takes Enter and the arrows for its buttons
 * before the body sees them; here these keys are the form's. And its ways to hold the focus lead to its
 * buttons: here the focus begins in the first field, goes round within the dialog, and comes back when it strays,
 * or keys would go to the notebook behind.
 */
export class FormDialog extends Dialog<unknown> {
  override handleEvent(event: Event): void {
    if (event instanceof KeyboardEvent) {
      // The dialog's own node listens too; the document hears of all keys, and first.
      if (event.currentTarget === document) {
        this._onKey(event);
      }
      return;
    }
    if (event.type === 'input' && this._holds(event.target)) {
      this._typed = true;
    }
    super.handleEvent(event);
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    document.addEventListener('keydown', this, true);
    this._content.tabIndex = -1;
    if (!this.node.contains(document.activeElement)) {
      this._content.focus();
    }
    // The form may come only with its code, or with an answer.
    this._arrival = new MutationObserver(() => this._enter());
    this._arrival.observe(this.node, { childList: true, subtree: true });
    this._enter();
  }

  protected override onAfterDetach(msg: Message): void {
    this._arrival?.disconnect();
    document.removeEventListener('keydown', this, true);
    super.onAfterDetach(msg);
  }

  /** A click beside a form that somebody has begun to fill is a slip. */
  protected override _evtClick(event: MouseEvent): void {
    if (this._typed && !this._content.contains(event.target as Node)) {
      event.stopPropagation();
      event.preventDefault();
      return;
    }
    super._evtClick(event);
  }

  protected override _evtFocus(event: FocusEvent): void {
    if (this._holds(event.target)) {
      this._last = event.target as HTMLElement;
    } else {
      event.stopPropagation();
      this._return();
    }
  }

  private get _content(): HTMLElement {
    return this.node.querySelector<HTMLElement>(
      '.jp-Dialog-content'
    ) as HTMLElement;
  }

  private _holds(target: EventTarget | null): boolean {
    return target instanceof Node && this.node.contains(target);
  }

  /** Goes to the first field, once there is one and nobody has gone elsewhere. */
  private _enter(): void {
    const field = this._content.querySelector<HTMLElement>(
      `.jp-mlws-dialog-body :is(${FIELD}):not(:disabled)`
    );
    if (field) {
      this._arrival?.disconnect();
      if (
        document.activeElement === this._content ||
        !this._holds(document.activeElement)
      ) {
        field.focus();
      }
    }
  }

  /** Back to where the focus was, or as near as can be. */
  private _return(): void {
    this._last?.focus();
    if (!this._holds(document.activeElement)) {
      this._content.focus();
    }
  }

  private _onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this._evtKeydown(event);
    } else if (!this._holds(event.target)) {
      // What had the focus is gone, and the page behind must not have the key.
      event.stopPropagation();
      event.preventDefault();
      this._return();
    } else if (event.key === 'Tab') {
      this._goRound(event);
    }
  }

  private _goRound(event: KeyboardEvent): void {
    const stops = [
      ...this.node.querySelectorAll<HTMLElement>(FOCUSABLE)
    ].filter(isStop);
    const [first, last] = [stops[0], stops[stops.length - 1]];

    const from = document.activeElement;
    const outermost = event.shiftKey ? first : last;
    if (from === outermost || (event.shiftKey && from === this._content)) {
      event.preventDefault();
      (event.shiftKey ? last : first)?.focus();
    }
  }

  private _arrival: MutationObserver | null = null;
  private _last: HTMLElement | null = null;
  private _typed = false;
}

/** Whether Tab stops at it. */
function isStop(element: HTMLElement): boolean {
  // jsdom draws nothing, and has no such function.
  const seen =
    typeof element.checkVisibility !== 'function' || element.checkVisibility();
  return seen && element.tabIndex >= 0 && !element.matches(':disabled');
}
