/** Hands live media to whoever on the page asked for it, and tells the server which tracks are wanted.
 *
 * Many tiles, one socket: a track is watched while at least one listener wants it. A new listener is given the track's
 * last init segment at once, and where others watch it all since its last key frame. Each listener owns the bytes that it is
 * given, and may give them away to a worker. What is wanted is said when all that changes together has changed: a player
 * that takes another's place asks for nothing anew. In a tab that nobody has looked at for a while
 * only what can be heard is wanted, and all of it again as soon as it is looked at.
 */

import { type Envelope, KIND } from '../envelope';
import { hasCodecs } from './codecs/hasCodecs';
import { decoderThread } from './codecs/decoderThread';
import { HeldPictures, ownCopy } from './heldPictures';

type Listener = (envelope: Envelope) => void;

interface Wish {
  address: string;
  /** Also while the tab is hidden: it can be heard. */
  heard: boolean;
}

/** A tab that is hidden for less goes on at once, without asking. */
export const REST_AFTER_MS = 10_000;
/** So long after the last loss the line counts as good again. */
export const SLOW_MS = 8000;

export class MediaHub {
  #listeners = new Map<string, Set<Listener>>();
  #wishes = new Set<Wish>();
  /** What the server was told last. */
  #wanted: ReadonlySet<string> = new Set();
  #saying = false;
  #held = new HeldPictures();
  #inits = new Map<string, Envelope>();
  #slowAt = new Map<string, number>();
  #hiddenAt: number | null = null;
  #resting = false;
  /** Seconds between key frames of a track that keep whoever begins waiting, as its room says; else null. */
  keysApart: (address: string) => number | null = () => null;

  /** `onWanted` gets the addresses that the server must send, whenever they change. */
  constructor(private readonly onWanted: (addresses: string[]) => void) {
    document.addEventListener('visibilitychange', this.#visible);
    this.#visible();
    if (hasCodecs()) decoderThread.prepare();
  }

  /**
   * Hear everything of `address`; with `watch: false` only what comes anyway (thumbnails), with `heard` also while the
   * tab is hidden. Returns the end of it.
   */
  listen(address: string, listener: Listener, { watch = true, heard = false } = {}): () => void {
    let listeners = this.#listeners.get(address);
    if (!listeners) this.#listeners.set(address, (listeners = new Set()));
    listeners.add(listener);
    const init = this.#inits.get(address);
    if (init) listener(ownCopy(init));
    for (const envelope of this.#held.of(address)) listener(envelope);
    const wish = { address, heard };
    if (watch) this.#wishes.add(wish);
    this.#say();
    return () => {
      listeners.delete(listener);
      this.#wishes.delete(wish);
      this.#say();
    };
  }

  take(envelope: Envelope): void {
    if (envelope.kind === KIND.init) this.#inits.set(envelope.address, ownCopy(envelope));
    if (this.#wanted.has(envelope.address)) this.#held.take(envelope);
    const listeners = [...(this.#listeners.get(envelope.address) ?? [])];
    listeners.forEach((listener, i) => listener(i + 1 < listeners.length ? ownCopy(envelope) : envelope));
    // Looked at when media comes: timers of a hidden tab run late or not at all.
    if (this.#hiddenAt !== null && !this.#resting && performance.now() - this.#hiddenAt > REST_AFTER_MS) {
      this.#resting = true;
      this.#say();
    }
  }

  /** Media of a track is missing: it may not be seen, it never came, or it was dropped since this page is `slow`. */
  lost(address: string, slow: boolean): void {
    this.#held.forget(address);
    if (slow) this.#slowAt.set(address, performance.now());
  }

  /** Was media of the track dropped just now, because this page does not keep up with it? */
  isSlow(address: string): boolean {
    const at = this.#slowAt.get(address);
    return at !== undefined && performance.now() - at < SLOW_MS;
  }

  /** What is held of a room's tracks may not be shown any more; `room`: the beginning of their addresses. */
  letGo(room: string): void {
    for (const address of this.#inits.keys()) if (address.startsWith(`${room}/`)) this.#held.forget(address);
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#visible);
  }

  #visible = (): void => {
    const hidden = document.visibilityState === 'hidden';
    this.#hiddenAt = hidden ? (this.#hiddenAt ?? performance.now()) : null;
    if (hidden) return;
    this.#resting = false;
    this.#say();
  };

  #say(): void {
    if (this.#saying) return;
    this.#saying = true;
    void Promise.resolve().then(() => {
      this.#saying = false;
      this.#sayNow();
    });
  }

  #sayNow(): void {
    const wanted = new Set([...this.#wishes].filter((wish) => wish.heard || !this.#resting).map((wish) => wish.address));
    if (wanted.size === this.#wanted.size && [...wanted].every((address) => this.#wanted.has(address))) return;
    this.#wanted = wanted;
    this.#held.only(wanted); // the server sends it to who wants it again
    this.onWanted([...wanted].sort());
  }
}
