/** What the pages and the worker that decodes for them say to each other. Bytes are handed over, never copied. */

import type { Envelope } from '../../envelope';
import type { Broken } from '../liveStats';

/** A live message without its address, on its way to the decoder. */
export interface TakenMessage extends Pick<Envelope, 'kind' | 'keyFrame' | 'initId' | 'sequence' | 'roomMs' | 'utcMs' | 'durationMs' | 'payload'> {
  /** When the page had it, `Date.now()`. */
  arrivedMs: number;
}

export type ToWorker =
  | { order: 'open'; id: number; canvas: OffscreenCanvas }
  | { order: 'picture'; id: number; message: TakenMessage }
  /** Decoded sound goes to the port: `SoundPiece`s. */
  | { order: 'hear'; id: number; port: MessagePort }
  | { order: 'sound'; id: number; message: TakenMessage }
  /** How long after it was written sound is heard, milliseconds; and, as `soundOffsetMs`, how it is heard now, where it is. */
  | { order: 'heard'; id: number; latencyMs: number; offsetMs: number | null }
  | { order: 'hush'; id: number }
  | { order: 'close'; id: number }
  /** Does anybody look at the page? */
  | { order: 'look'; seen: boolean };

/** One picture's way, milliseconds each: capture to the page, page to decoded, decoded to painted. */
export type PictureStages = readonly [transit: number, decode: number, wait: number];

export interface PictureReport {
  id: number;
  /** Messages that were taken so far, of picture and sound. */
  taken: number;
  decoded: number;
  painted: number;
  /** The picture that is on the screen. */
  shown: { roomMs: number; utcMs: number; atMs: number } | null;
  stalls: number;
  trouble: Broken | '';
  reserveMs: number;
  /** Of the pictures that were painted since the last report. */
  stages: PictureStages[];
  /** This browser's clock (`performance.timeOrigin + performance.now()`) minus room time at which sound is heard. */
  soundOffsetMs: number | null;
}

/** Decoded sound: one array a channel. */
export interface SoundPiece {
  roomMs: number;
  rateHz: number;
  channels: Float32Array<ArrayBuffer>[];
}
