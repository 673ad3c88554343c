/** One WebSocket per tab: text and binary are handed on as they come, a lost connection is opened again by itself.
 *
 * What was last sent with `announce(key, …)` is repeated after every reconnection, so that the server knows what to send.
 */

import { EarlySocket, liveUrl } from './earlySocket';
import { type Envelope, parseEnvelope } from './envelope';

export type Connection = 'connecting' | 'open' | 'lost';

export interface LiveSocketOptions<Message> {
  /** `atMs`: when it came, `Date.now()`; what an early socket kept came before this page could take it up. */
  onText: (message: Message, atMs: number) => void;
  onMedia?: (envelope: Envelope) => void;
  onConnection?: (state: Connection) => void;
  /** Called when the server refused to open at all, e.g. because the session ended; look at the session then. */
  onRefused?: () => void;
  /** Silence after which the connection counts as dead, milliseconds; 0: never (the server speaks only on changes). */
  silenceMs?: number;
  /** The first connection, where it was begun already. */
  early?: EarlySocket | null;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 4000;

export class LiveSocket<Message> {
  #socket: WebSocket | null = null;
  #announced = new Map<string, string>();
  #delayMs = FIRST_DELAY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;
  #closed = false;

  constructor(
    private readonly path: string,
    private readonly options: LiveSocketOptions<Message>,
  ) {
    window.addEventListener('online', this.#now);
    this.#open(options.early?.path === path ? options.early : null);
    const silence = options.silenceMs ?? 0;
    if (silence > 0) {
      this.#watchdog = setInterval(() => {
        if (this.#socket?.readyState === WebSocket.OPEN && performance.now() - this.#heardAt > silence) this.#drop();
      }, silence / 4);
    }
  }

  /** Send `message` now and after every reconnection, until the same `key` is announced with another message. */
  announce(key: string, message: unknown): void {
    const line = JSON.stringify(message);
    if (this.#announced.get(key) === line) return;
    this.#announced.set(key, line);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(line);
  }

  /** Send `message` once, on the socket that is open now; without one it is not sent. */
  say(message: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Begin anew: what came on this socket is not whole. */
  reopen(): void {
    if (this.#socket !== null) this.#drop();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#watchdog);
    window.removeEventListener('online', this.#now);
    this.#socket?.close();
    this.#socket = null;
  }

  #now = (): void => {
    if (this.#socket === null && !this.#closed) {
      clearTimeout(this.#retry);
      this.#delayMs = FIRST_DELAY_MS;
      this.#open();
    }
  };

  #open(early: EarlySocket | null = null): void {
    this.options.onConnection?.('connecting');
    const socket = early?.socket ?? new WebSocket(liveUrl(this.path));
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let opened = false;
    const begun = (): void => {
      opened = true;
      this.#delayMs = FIRST_DELAY_MS;
      this.#heardAt = performance.now();
      for (const line of this.#announced.values()) socket.send(line);
      this.options.onConnection?.('open');
    };
    const came = (event: MessageEvent<unknown>, atMs = Date.now()): void => {
      if (this.#socket !== socket) return; // of one that was given up
      this.#heardAt = performance.now();
      if (typeof event.data === 'string') this.options.onText(JSON.parse(event.data) as Message, atMs);
      else if (event.data instanceof ArrayBuffer) {
        const envelope = parseEnvelope(event.data);
        if (envelope !== null) this.options.onMedia?.(envelope);
      }
    };
    const over = (): void => {
      if (this.#socket !== socket) return;
      this.#lost();
      if (!opened) this.options.onRefused?.();
    };
    socket.addEventListener('open', begun);
    socket.addEventListener('message', (event) => came(event));
    socket.addEventListener('close', over);
    if (early === null) return;
    const messages = early.take();
    if (socket.readyState === WebSocket.CONNECTING) return;
    // Behind whoever makes this: what it hears goes to what it has not made yet.
    queueMicrotask(() => {
      if (messages.length > 0 || socket.readyState === WebSocket.OPEN) begun();
      for (const { event, atMs } of messages) came(event, atMs);
      if (socket.readyState === WebSocket.CLOSED) over();
    });
  }

  /** Do not wait for a peer that is gone to answer the closing handshake. */
  #drop(): void {
    const socket = this.#socket;
    this.#lost();
    socket?.close();
  }

  #lost(): void {
    this.#socket = null;
    if (this.#closed) return;
    this.options.onConnection?.('lost');
    this.#retry = setTimeout(() => this.#open(), this.#delayMs * (0.75 + Math.random() / 2));
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
  }
}
