/** One track of a recorded hearing on its way into the browser: what is asked for, what came, what is still missing. */

import type { QuotaBuffer } from './quotaBuffer';

/**
 * What the center gave for a range. `next_ms` says where media begins again when it gave none; `unreadable`, why what it
 * has stored there cannot be played.
 */
export type MediaPiece =
  | { bytes: ArrayBuffer; from_ms: number; to_ms: number; mime: string }
  | { bytes: null; next_ms: number | null; unreadable?: string };

export type FetchPiece = (track: string, from_ms: number, to_ms: number, signal: AbortSignal) => Promise<MediaPiece>;

export type Media = MediaPiece & { bytes: ArrayBuffer };

export interface TrackLoad {
  track: string;
  buffer: QuotaBuffer | null;
  mime: string;
  /** Why this browser cannot play it, in words; such a lane has no buffer and is never waited for. */
  unplayable: string;
  /** Everything from the last jump up to this moment is appended; where it is unplayable, this is not asked for again. */
  fetched_to_ms: number;
  /** From here on it cannot be played any more, or can be again; null while nothing of that is known. */
  turns_at_ms: number | null;
  /** The center is asked again no earlier than this (performance.now). */
  retry_at: number;
  /** There was no room at this place of the cursor: when it has moved on, the piece is appended, or a smaller one fetched. */
  waiting: { piece: Media | null; cursor_ms: number } | null;
  busy: boolean;
}

/** Nothing of the track is there yet. `unplayable`: why this browser cannot play it, in words. */
export function newLoad(track: string, at_ms: number, unplayable: string): TrackLoad {
  return {
    track,
    buffer: null,
    mime: '',
    unplayable,
    fetched_to_ms: unplayable === '' ? at_ms : Number.POSITIVE_INFINITY,
    turns_at_ms: null,
    retry_at: 0,
    waiting: null,
    busy: false,
  };
}
