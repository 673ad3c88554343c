/** Reads the live binary messages of sync/media/envelope.py, preceded by the address of their track. All or nothing: a message
 * that `pack` cannot have made gives null and is dropped by the caller. */

export const KIND = { init: 1, fragment: 2, thumbnail: 3 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];
const HEADER_BYTES = 34;

export interface Envelope {
  /** `court/room/track` from the center, `track` from a room. */
  address: string;
  kind: Kind;
  keyFrame: boolean;
  kept: boolean;
  initId: number;
  sequence: number;
  /** Start on the room's time line, milliseconds. */
  roomMs: number;
  /** The same moment in UTC, milliseconds. */
  utcMs: number;
  durationMs: number;
  payload: Uint8Array<ArrayBuffer>;
}

const text = new TextDecoder('utf-8', { fatal: true });

export function parseEnvelope(message: ArrayBuffer): Envelope | null {
  if (message.byteLength < 1) return null;
  const view = new DataView(message);
  const at = 1 + view.getUint8(0);
  if (message.byteLength < at + HEADER_BYTES) return null;
  if (view.getUint16(at) !== 0x5754 || view.getUint8(at + 2) !== 1) return null;
  const kind = view.getUint8(at + 3);
  if (kind !== KIND.init && kind !== KIND.fragment && kind !== KIND.thumbnail) return null;
  const flags = view.getUint8(at + 4);
  let address: string;
  try {
    address = text.decode(new Uint8Array(message, 1, at - 1));
  } catch {
    return null;
  }
  return {
    address,
    kind,
    keyFrame: (flags & 1) !== 0,
    kept: (flags & 2) !== 0,
    initId: view.getUint32(at + 6),
    sequence: view.getUint32(at + 10),
    roomMs: milliseconds(view.getBigInt64(at + 14)),
    utcMs: milliseconds(view.getBigInt64(at + 22)),
    durationMs: view.getUint32(at + 30) / 1000,
    payload: new Uint8Array(message, at + HEADER_BYTES),
  };
}

export interface Init {
  mime: string;
  segment: Uint8Array<ArrayBuffer>;
}

/** MIME type and init segment of an INIT payload; null when it is cut short. */
export function parseInit(payload: Uint8Array<ArrayBuffer>): Init | null {
  if (payload.byteLength < 2) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = view.getUint16(0);
  if (payload.byteLength < 2 + length) return null;
  return { mime: String.fromCharCode(...payload.subarray(2, 2 + length)), segment: payload.subarray(2 + length) };
}

/** Is it the same message? A run of a track may be told of anew, by another init segment under its own number. */
export function sameBytes(one: Uint8Array, other: Uint8Array | null): boolean {
  return other !== null && one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** Nanoseconds of UTC do not fit a double; microseconds do. */
function milliseconds(ns: bigint): number {
  return Number(ns / 1000n) / 1000;
}
