import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { Outage } from './Outage';

/** "Something changed": what, not how. The data itself comes over REST. */
export interface IHint {
  /** Grows with each change; the place to go on from after a lost connection. */
  seq: number;
  /** The workspace's name; empty where it is not told. */
  workspace: string;
  /** The concept, e.g. "run", "experiment", "model". */
  kind: string;
  /** The id of what changed. */
  id: string;
  /** The id of what it belongs to (a run's experiment), if any. */
  parent: string | null;
}

type Unsubscribe = () => void;

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 60_000;
/** A socket that lasts so long is a good one; one that is hung up on at once is another failure. */
const STEADY_MS = 5_000;

/**
 * The one WebSocket of this tab to `<base>/mlws/api/v1/changes/ws`.
 *
 * It reconnects by itself. `onResync` fires each time that it opens, since hints may have been missed, and
 * every 15 seconds while it is down.
 */
export class HintStream {
  /**
   * @param settings - Where the server is, and which WebSocket class to use.
   * @param random - For the jitter of the delays; tests pass their own.
   */
  constructor(
    private readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings(),
    private readonly random: () => number = Math.random
  ) {}

  /** Whether hints arrive at the moment. */
  get connected(): boolean {
    return this._connected;
  }

  /** Whether no hints have arrived for some seconds: what is shown may be old. */
  get lost(): boolean {
    return this._outage.lost;
  }

  /** Opens the stream; more calls do nothing. */
  connect(): void {
    if (this._started || this._disposed) {
      return;
    }
    this._started = true;
    window.addEventListener('online', this._reopenNow);
    this._outage.begin();
    this._open();
  }

  /** Closes the stream for good. */
  dispose(): void {
    this._disposed = true;
    window.removeEventListener('online', this._reopenNow);
    this._clearTimer();
    this._dropSocket();
    this._setConnected(false);
    this._outage.end();
    this._hintListeners.clear();
    this._connectedListeners.clear();
    this._resyncListeners.clear();
  }

  /** Calls back with each hint. */
  onHint(listener: (hint: IHint) => void): Unsubscribe {
    return subscribe(this._hintListeners, listener);
  }

  /** Calls back when `connected` or `lost` changes. */
  onConnectedChanged(listener: () => void): Unsubscribe {
    return subscribe(this._connectedListeners, listener);
  }

  /** Calls back when everything should be fetched anew. */
  onResync(listener: () => void): Unsubscribe {
    return subscribe(this._resyncListeners, listener);
  }

  private _open(): void {
    this._clearTimer();
    this._dropSocket();
    let socket: WebSocket;
    try {
      socket = new this.settings.WebSocket(this._url());
    } catch {
      // A blocked or malformed address throws at once.
      this._retryLater();
      return;
    }
    this._socket = socket;
    socket.onopen = () => this._onOpen();
    socket.onmessage = event => this._onMessage(event);
    socket.onclose = () => this._onClose();
  }

  private _url(): string {
    const { wsUrl, token, appendToken } = this.settings;
    const query: Record<string, string> = {};
    if (this._seq !== null) {
      query['since'] = String(this._seq);
    }
    if (appendToken && token) {
      query['token'] = token;
    }
    return (
      URLExt.join(wsUrl, 'mlws/api/v1/changes/ws') +
      URLExt.objectToQueryString(query)
    );
  }

  private _onOpen(): void {
    this._steadyTimer = window.setTimeout(() => {
      this._failures = 0;
    }, STEADY_MS);
    this._setConnected(true);
    // Also the first time: something may have changed between the first answers and now.
    emit(this._resyncListeners, undefined);
  }

  private _onMessage(event: MessageEvent): void {
    const hint = readHint(event.data);
    if (hint) {
      this._seq = Math.max(this._seq ?? 0, hint.seq);
      emit(this._hintListeners, hint);
    }
  }

  private _onClose(): void {
    this._dropSocket();
    this._setConnected(false);
    this._retryLater();
  }

  private _retryLater(): void {
    const delay = Math.min(
      LAST_DELAY_MS,
      FIRST_DELAY_MS * 2 ** Math.min(this._failures, 16)
    );
    this._failures += 1;
    // Half to full delay: tabs of one browser must not come back all at once.
    const wait = delay * (0.5 + 0.5 * this.random());
    this._timer = window.setTimeout(() => this._open(), wait);
  }

  private readonly _reopenNow = (): void => {
    if (!this._connected && !this._disposed) {
      this._failures = 0;
      this._open();
    }
  };

  private _dropSocket(): void {
    window.clearTimeout(this._steadyTimer);
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _clearTimer(): void {
    window.clearTimeout(this._timer);
    this._timer = undefined;
  }

  private _setConnected(value: boolean): void {
    if (this._connected !== value) {
      this._connected = value;
      if (value) {
        this._outage.end();
      } else {
        this._outage.begin();
      }
      emit(this._connectedListeners, undefined);
    }
  }

  private _connected = false;
  private _disposed = false;
  private _failures = 0;
  private _seq: number | null = null;
  private _socket: WebSocket | null = null;
  private _started = false;
  private _steadyTimer: number | undefined;
  private _timer: number | undefined;
  private readonly _hintListeners = new Set<(hint: IHint) => void>();
  private readonly _connectedListeners = new Set<() => void>();
  private readonly _resyncListeners = new Set<() => void>();
  private readonly _outage = new Outage(
    () => emit(this._connectedListeners, undefined),
    () => emit(this._resyncListeners, undefined)
  );
}

function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Calls all listeners; one that throws does not stop the others. */
function emit<T>(listeners: Set<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      console.error('A listener of the change stream failed', error);
    }
  }
}

function readHint(data: unknown): IHint | null {
  if (typeof data !== 'string') {
    return null;
  }
  try {
    const hint = JSON.parse(data) as Partial<IHint> | null;
    return hint &&
      typeof hint.seq === 'number' &&
      typeof hint.kind === 'string' &&
      typeof hint.id === 'string'
      ? {
          seq: hint.seq,
          workspace: String(hint.workspace ?? ''),
          kind: hint.kind,
          id: hint.id,
          parent: hint.parent ?? null
        }
      : null;
  } catch {
    return null;
  }
}
