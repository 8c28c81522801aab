import { ServerConnection } from '@jupyterlab/services';

import { HintStream, type IHint } from '../hints';

/** A socket that does what the test says. */
class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all[FakeSocket.all.length - 1] as FakeSocket;
  }

  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  close(): void {
    this.closed = true;
  }

  receive(hint: Partial<IHint>): void {
    this.onmessage?.({ data: JSON.stringify(hint) });
  }
}

function makeStream(WebSocketClass: unknown = FakeSocket): HintStream {
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://lab.test/',
    wsUrl: 'ws://lab.test/',
    token: 'sesame',
    appendToken: false,
    WebSocket: WebSocketClass as typeof WebSocket
  });
  return new HintStream(settings, () => 1);
}

describe('HintStream', () => {
  let stream: HintStream;

  beforeEach(() => {
    jest.useFakeTimers();
    FakeSocket.all = [];
    stream = makeStream();
  });

  afterEach(() => {
    stream.dispose();
    jest.useRealTimers();
  });

  it('opens one socket, however often it is asked', () => {
    stream.connect();
    stream.connect();
    expect(FakeSocket.all).toHaveLength(1);
    expect(FakeSocket.last.url).toBe('ws://lab.test/mlws/api/v1/changes/ws');
  });

  it('passes hints on, and ignores what is none', () => {
    const hints: IHint[] = [];
    stream.onHint(hint => hints.push(hint));
    stream.connect();
    FakeSocket.last.onopen?.();
    FakeSocket.last.receive({ seq: 1, workspace: 'w', kind: 'run', id: 'a' });
    FakeSocket.last.onmessage?.({ data: 'no json' });
    FakeSocket.last.onmessage?.({ data: 'null' });
    FakeSocket.last.onmessage?.({ data: new ArrayBuffer(1) });
    FakeSocket.last.receive({ kind: 'run' });
    expect(hints).toEqual([
      { seq: 1, workspace: 'w', kind: 'run', id: 'a', parent: null }
    ]);
  });

  it('comes back from where it was, and asks for all anew', () => {
    const resync = jest.fn();
    stream.onResync(resync);
    stream.connect();
    FakeSocket.last.onopen?.();
    FakeSocket.last.receive({ seq: 41, kind: 'run', id: 'a' });
    FakeSocket.last.receive({ seq: 42, kind: 'run', id: 'a' });
    // What changed before the first opening was told to nobody.
    expect(resync).toHaveBeenCalledTimes(1);
    FakeSocket.last.onclose?.();
    jest.advanceTimersByTime(500);
    expect(FakeSocket.last.url).toMatch(/\?since=42$/);
    FakeSocket.last.onopen?.();
    expect(resync).toHaveBeenCalledTimes(2);
  });

  it('waits longer after each failure, up to a minute', () => {
    stream.connect();
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const before = FakeSocket.all.length;
      FakeSocket.last.onclose?.();
      let waited = 0;
      while (FakeSocket.all.length === before) {
        jest.advanceTimersByTime(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([
      500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000
    ]);
  });

  it('takes a socket that is hung up on at once for a failure', () => {
    stream.connect();
    for (const wait of [500, 1000, 2000]) {
      const before = FakeSocket.all.length;
      FakeSocket.last.onopen?.();
      FakeSocket.last.onclose?.();
      jest.advanceTimersByTime(wait - 1);
      expect(FakeSocket.all).toHaveLength(before);
      jest.advanceTimersByTime(1);
      expect(FakeSocket.all).toHaveLength(before + 1);
    }
    FakeSocket.last.onopen?.();
    jest.advanceTimersByTime(5000);
    const before = FakeSocket.all.length;
    FakeSocket.last.onclose?.();
    jest.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(before + 1);
  });

  it('asks for all anew now and then while nothing connects', () => {
    const resync = jest.fn();
    const told = jest.fn(() => stream.lost);
    stream.onResync(resync);
    stream.onConnectedChanged(told);
    stream.connect();
    jest.advanceTimersByTime(4999);
    expect(stream.lost).toBe(false);
    jest.advanceTimersByTime(1);
    expect(stream.lost).toBe(true);
    expect(told).toHaveLastReturnedWith(true);
    expect(resync).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(30_000);
    expect(resync).toHaveBeenCalledTimes(3);
    FakeSocket.last.onopen?.();
    expect(stream.lost).toBe(false);
    expect(told).toHaveLastReturnedWith(false);
    jest.advanceTimersByTime(60_000);
    expect(resync).toHaveBeenCalledTimes(4);
    FakeSocket.last.onclose?.();
    stream.dispose();
    jest.advanceTimersByTime(60_000);
    expect(resync).toHaveBeenCalledTimes(4);
  });

  it('tells whether it is connected', () => {
    const seen: boolean[] = [];
    stream.onConnectedChanged(() => seen.push(stream.connected));
    stream.connect();
    expect(stream.connected).toBe(false);
    FakeSocket.last.onopen?.();
    FakeSocket.last.onclose?.();
    expect(seen).toEqual([true, false]);
  });

  it('comes back at once when the browser is online again', () => {
    stream.connect();
    FakeSocket.last.onclose?.();
    window.dispatchEvent(new Event('online'));
    expect(FakeSocket.all).toHaveLength(2);
    jest.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('stays quiet once disposed', () => {
    stream.connect();
    const socket = FakeSocket.last;
    stream.dispose();
    expect(socket.closed).toBe(true);
    jest.advanceTimersByTime(120_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('survives a socket that cannot be made, and a listener that throws', () => {
    const broken = makeStream(
      class {
        constructor() {
          throw new SyntaxError('bad address');
        }
      }
    );
    expect(() => broken.connect()).not.toThrow();
    broken.dispose();

    const complain = jest.spyOn(console, 'error').mockImplementation();
    const second = jest.fn();
    stream.onHint(() => {
      throw new Error('mine');
    });
    stream.onHint(second);
    stream.connect();
    FakeSocket.last.receive({ seq: 1, kind: 'run', id: 'a' });
    expect(second).toHaveBeenCalledTimes(1);
    expect(complain).toHaveBeenCalledTimes(1);
    complain.mockRestore();
  });
});
