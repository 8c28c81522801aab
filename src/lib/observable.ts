/**
 * A value of the host that panels and commands share: which workspace is looked at, what is unfolded.
 * What the server knows never stands here; the query cache holds that.
 */
export class Observable<T> {
  constructor(private _value: T) {}

  /** The value now; the same object until it changes. */
  readonly get = (): T => this._value;

  /** Replaces it; listeners hear of it only when it is another one. */
  readonly set = (value: T): void => {
    if (Object.is(value, this._value)) {
      return;
    }
    this._value = value;
    for (const listener of [...this._listeners]) {
      listener();
    }
  };

  /**
   * Calls back after each change.
   *
   * @returns A function that ends it.
   */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  private readonly _listeners = new Set<() => void>();
}
