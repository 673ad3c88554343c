/** For tests: the center as a test plays it. */

import type { CenterMessage, WallRoom } from '../lib/types';

/** A socket that a test is the server of. */
export class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  static made: FakeSocket[] = [];
  readyState = 0;
  binaryType = '';
  readonly said: Record<string, unknown>[] = [];

  constructor(readonly url: URL) {
    super();
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.made.at(-1) as FakeSocket;
  }

  open(): this {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event('open'));
    return this;
  }

  tell(message: CenterMessage): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  send(line: string): void {
    this.said.push(JSON.parse(line) as Record<string, unknown>);
  }

  /** By the page. */
  close(): void {
    this.readyState = FakeSocket.CLOSED;
  }

  /** By the center, or by the line. */
  lose(): void {
    this.close();
    this.dispatchEvent(new Event('close'));
  }
}

export function room(address: string, more: Partial<WallRoom> = {}): WallRoom {
  return {
    address, online: true, court_name: '', room_name: '', hearing: null, recorder: null, speaking: [], seats: [],
    alarms: [], seen_utc_ms: 1, center_alarms: [], ...more,
  };
}
