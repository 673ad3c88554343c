/** What a page was sent of each watched track since its last key frame: who begins to show the track has its picture at once.
 *
 * Without it a player that comes while another one watches the same track, or in its place, would wait for the next key
 * frame, which a camera may send every ten seconds. Bounded for each track and for all: of what goes beyond only the key
 * frame is left, so that whoever begins sees that one picture and goes on with the next key frame; what has a hole is not
 * held at all until then. The server sends the same to a page that begins (`sync/media/gop_cache.py`).
 */

import { type Envelope, KIND } from '../envelope';

export const MOST_HELD_BYTES = 8 * 1024 * 1024;
const MOST_BYTES_IN_ALL = 32 * 1024 * 1024;
/** Nobody begins with a picture of long ago. */
export const HELD_FRESH_MS = 1000;

interface Held {
  envelopes: Envelope[];
  /** Nothing since the key frame is missing; else that is alone. */
  whole: boolean;
  bytes: number;
  cameAt: number;
}

export class HeldPictures {
  #tracks = new Map<string, Held>();
  #bytes = 0;

  /** A fragment came; its bytes are copied. The init segment of another run ends what was held. */
  take(envelope: Envelope): void {
    const { address } = envelope;
    if (envelope.kind !== KIND.fragment) {
      if (envelope.initId !== this.#tracks.get(address)?.envelopes[0]?.initId) this.forget(address);
      return;
    }
    if (envelope.keyFrame) this.forget(address);
    let held = this.#tracks.get(address);
    if (held === undefined) {
      if (!envelope.keyFrame) return;
      this.#tracks.set(address, (held = { envelopes: [], whole: true, bytes: 0, cameAt: 0 }));
    } else if (held.whole ? !follows(held.envelopes.at(-1), envelope) : envelope.initId !== held.envelopes[0]?.initId) {
      this.forget(address);
      return;
    }
    held.cameAt = performance.now();
    if (!held.whole) return;
    held.envelopes.push(ownCopy(envelope));
    held.bytes += envelope.payload.byteLength;
    this.#bytes += envelope.payload.byteLength;
    if (held.bytes > MOST_HELD_BYTES) this.#breakOff(address, held);
    while (this.#bytes > MOST_BYTES_IN_ALL) this.#giveWay();
  }

  /** From the last key frame on, for one who may give the bytes away; nothing when that is not the live edge. */
  of(address: string): Envelope[] {
    const held = this.#tracks.get(address);
    if (held === undefined || performance.now() - held.cameAt > HELD_FRESH_MS) return [];
    return held.envelopes.map(ownCopy);
  }

  forget(address: string): void {
    this.#bytes -= this.#tracks.get(address)?.bytes ?? 0;
    this.#tracks.delete(address);
  }

  /** Keep the key frame alone; one that is itself more than a track may have is not held. */
  #breakOff(address: string, held: Held): void {
    const [key] = held.envelopes.splice(0);
    this.#bytes -= held.bytes;
    held.bytes = key?.payload.byteLength ?? 0;
    held.whole = false;
    if (key === undefined || held.bytes > MOST_HELD_BYTES) {
      this.#tracks.delete(address);
      return;
    }
    held.envelopes.push(key);
    this.#bytes += held.bytes;
  }

  /** What holds most gives way, down to its key frame; where there are key frames alone the newest does. */
  #giveWay(): void {
    const long = [...this.#tracks].filter(([, one]) => one.envelopes.length > 1).sort(([, a], [, b]) => b.bytes - a.bytes)[0];
    if (long !== undefined) this.#breakOff(...long);
    else this.forget([...this.#tracks.keys()].at(-1) ?? '');
  }

  /** Hold nothing but tracks of these addresses. */
  only(addresses: ReadonlySet<string>): void {
    for (const address of [...this.#tracks.keys()]) if (!addresses.has(address)) this.forget(address);
  }
}

function follows(last: Envelope | undefined, envelope: Envelope): boolean {
  return last !== undefined && envelope.initId === last.initId && envelope.sequence === (last.sequence + 1) % 2 ** 32;
}

/** The same message with bytes of its own. */
export function ownCopy(envelope: Envelope): Envelope {
  return { ...envelope, payload: envelope.payload.slice() };
}
