/** What a page was sent of each watched track since its last key frame: who begins to show the track has its picture at once.
 *
 * Without it a player that comes while another one watches the same track, or in its place, would wait for the next key
 * frame, which a camera may send every ten seconds. Bounded for each track and for all; what goes beyond, or has a hole, is
 * not held at all until the next key frame. The server sends the same to a page that begins (`sync/media/gop_cache.py`).
 */

import { type Envelope, KIND } from '../envelope';

export const MOST_HELD_BYTES = 8 * 1024 * 1024;
const MOST_BYTES_IN_ALL = 32 * 1024 * 1024;
/** Nobody begins with a picture of long ago. */
export const HELD_FRESH_MS = 1000;

interface Held {
  envelopes: Envelope[];
  bytes: number;
  cameAt: number;
}

export class HeldPictures {
  #tracks = new Map<string, Held>();
  #bytes = 0;

  /** A fragment came; its bytes are copied. An init segment ends what was held. */
  take(envelope: Envelope): void {
    const { address } = envelope;
    if (envelope.kind !== KIND.fragment || envelope.keyFrame) this.forget(address);
    if (envelope.kind !== KIND.fragment) return;
    let held = this.#tracks.get(address);
    if (held === undefined) {
      if (!envelope.keyFrame) return;
      this.#tracks.set(address, (held = { envelopes: [], bytes: 0, cameAt: 0 }));
    } else if (!follows(held.envelopes.at(-1), envelope)) {
      this.forget(address);
      return;
    }
    const size = envelope.payload.byteLength;
    if (held.bytes + size > MOST_HELD_BYTES || this.#bytes + size > MOST_BYTES_IN_ALL) {
      this.forget(address);
      return;
    }
    held.envelopes.push(ownCopy(envelope));
    held.bytes += size;
    held.cameAt = performance.now();
    this.#bytes += size;
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
