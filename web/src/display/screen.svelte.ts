/** What the room's screen received last. It holds a read-only token and can ask for nothing but what is presented now.
 *
 * Pages that hang on it one after the other are kept, so that it turns back without asking again. With whatever comes in
 * their place (the words again, a recess, a sealed part, the end of the hearing or of the line) it has nothing of them.
 */

import { forgetPictures } from '../lib/pagePicture';
import { type Connection, LiveSocket } from '../lib/socket';
import type { DisplayState } from '../lib/types';

export class Screen {
  state = $state<DisplayState | null>(null);
  connection = $state<Connection>('connecting');
  /** The server knows this screen's token not. */
  refused = $state(false);
  utcMs = $state(0);

  #token: string;
  #socket: LiveSocket<{ type: 'display'; value: DisplayState }>;
  #anchor = { utcMs: Date.now(), atMs: performance.now() };
  #tick: ReturnType<typeof setInterval>;

  constructor(token: string) {
    this.#token = encodeURIComponent(token);
    this.#socket = new LiveSocket(`/api/display?token=${this.#token}`, {
      onText: (message) => {
        if (message.type !== 'display') return;
        if (message.value.state !== 'open' || message.value.presented === null) forgetPictures();
        this.state = message.value;
        this.refused = false;
        this.#anchor = { utcMs: message.value.utc_ms, atMs: performance.now() };
      },
      onConnection: (connection) => {
        if (connection === 'lost') forgetPictures(); // what is told meanwhile does not come
        if (connection !== 'connecting' || this.connection !== 'lost') this.connection = connection;
      },
      onRefused: () => void this.#why(),
    });
    this.#tick = setInterval(() => this.#look(), 250);
    this.#look();
  }

  destroy(): void {
    clearInterval(this.#tick);
    this.#socket.close();
  }

  /** The picture of a page of what is presented now. */
  pictureUrl(sha256: string, page: number, scale: number): string {
    return `/api/display/page?token=${this.#token}&of=${sha256}&page=${page}&scale=${scale}`;
  }

  #look(): void {
    this.utcMs = this.#anchor.utcMs + (performance.now() - this.#anchor.atMs);
  }

  /** A WebSocket does not reveal why it was refused; a request does. */
  async #why(): Promise<void> {
    try {
      const answer = await fetch(`/api/display/page?token=${this.#token}&of=0&page=1`, { method: 'GET', cache: 'no-store' });
      this.refused = answer.status === 401 || answer.status === 403;
    } catch {
      // The server is away: that is the connection's matter, not the token's.
    }
  }
}
