/** A WebSocket that is opened before the page's scripts are there, and keeps what comes until a `LiveSocket` takes it over.
 *
 * Opening it and hearing the first message take as long as loading the scripts: this way the one does not wait for the other.
 */

export interface KeptMessage {
  event: MessageEvent<unknown>;
  /** When it came, `Date.now()`. */
  atMs: number;
}

/** Whoever does not take it over in time opens one of its own. */
export const MOST_KEPT_BYTES = 16 * 1024 * 1024;

export class EarlySocket {
  readonly socket: WebSocket;
  readonly path: string;
  /** What came so far, in order. */
  #came: KeptMessage[] = [];
  #bytes = 0;
  #taken = false;
  readonly #onText: (text: string) => void;

  /** `onText` hears the texts that come before it is taken over. */
  constructor(path: string, onText: (text: string) => void) {
    this.path = path;
    this.socket = new WebSocket(liveUrl(path));
    this.socket.binaryType = 'arraybuffer';
    this.#onText = onText;
    this.socket.addEventListener('message', this.#message);
  }

  /** What came; from now on the taker hears the rest itself. */
  take(): KeptMessage[] {
    this.#taken = true;
    this.socket.removeEventListener('message', this.#message);
    const came = this.#came;
    this.#came = [];
    return came;
  }

  #message = (event: MessageEvent<unknown>): void => {
    if (this.#taken) return;
    this.#bytes += typeof event.data === 'string' ? event.data.length : (event.data as ArrayBuffer).byteLength;
    if (this.#bytes > MOST_KEPT_BYTES) {
      this.take();
      this.socket.close(); // whoever takes it over finds it lost, and opens another
      return;
    }
    this.#came.push({ event, atMs: Date.now() });
    if (typeof event.data === 'string') this.#onText(event.data);
  };
}

/** The address of a socket of this page's own server. */
export function liveUrl(path: string): URL {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
