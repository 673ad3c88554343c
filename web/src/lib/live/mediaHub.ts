/** Hands live media to whoever on the page asked for it, and tells the server which tracks are wanted.
 *
 * Many tiles, one socket: a track is watched while at least one listener wants it. A new listener is given the track's
 * last init segment at once; fragments follow from the next key frame.
 */

import { type Envelope, KIND } from '../envelope';

type Listener = (envelope: Envelope) => void;

export class MediaHub {
  #listeners = new Map<string, Set<Listener>>();
  #wanted = new Map<string, number>();
  #inits = new Map<string, Envelope>();

  /** `onWanted` gets the addresses that the server must send, whenever they change. */
  constructor(private readonly onWanted: (addresses: string[]) => void) {}

  /** Hear everything of `address`; with `watch: false` only what comes anyway (thumbnails). Returns the end of it. */
  listen(address: string, listener: Listener, { watch = true } = {}): () => void {
    let listeners = this.#listeners.get(address);
    if (!listeners) this.#listeners.set(address, (listeners = new Set()));
    listeners.add(listener);
    const init = this.#inits.get(address);
    if (init) listener(init);
    if (watch) this.#want(address, 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      listeners.delete(listener);
      if (watch) this.#want(address, -1);
    };
  }

  take(envelope: Envelope): void {
    if (envelope.kind === KIND.init) this.#inits.set(envelope.address, envelope);
    for (const listener of this.#listeners.get(envelope.address) ?? []) listener(envelope);
  }

  #want(address: string, change: number): void {
    const before = this.#wanted.get(address) ?? 0;
    const now = before + change;
    if (now > 0) this.#wanted.set(address, now);
    else this.#wanted.delete(address);
    if ((before === 0) !== (now === 0)) this.onWanted([...this.#wanted.keys()].sort());
  }
}
