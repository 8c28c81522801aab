import { everyWhileSeen } from './polling';

/** Without a connection for so long, people are told, and everything is fetched now and then. */
const LOST_AFTER_MS = 5_000;
const POLL_MS = 15_000;

/** The time without a connection: when it is worth a word, and when to look for oneself. */
export class Outage {
  /**
   * @param onLost - The connection has been missing for some seconds.
   * @param onPoll - Called then, and every 15 seconds from there on while the page is seen.
   */
  constructor(
    private readonly onLost: () => void,
    private readonly onPoll: () => void
  ) {}

  /** Whether it has lasted for some seconds. */
  get lost(): boolean {
    return this._lost;
  }

  begin(): void {
    this.end();
    this._timer = window.setTimeout(() => {
      this._lost = true;
      this.onLost();
      this.onPoll();
      this._stopPolls = everyWhileSeen(this.onPoll, POLL_MS);
    }, LOST_AFTER_MS);
  }

  end(): void {
    window.clearTimeout(this._timer);
    this._stopPolls?.();
    this._stopPolls = undefined;
    this._lost = false;
  }

  private _lost = false;
  private _stopPolls: (() => void) | undefined;
  private _timer: number | undefined;
}
