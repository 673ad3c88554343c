/** Decoded pictures of one track on their way to its canvas: each at its time, late ones at once, the newest of what is due.
 *
 * Bounded: at most `MOST_PENDING` pictures wait, since a browser has few to lend; of more the oldest
 * are due at once. Each is given back.
 */

import type { DecodedPicture } from './pictureTrack';

export const MOST_PENDING = 12;

interface Pending extends DecodedPicture {
  /** When it was decoded, `Date.now()`. */
  decodedMs: number;
}

export class PictureScreen {
  #pending: Pending[] = [];
  /** What is of this room time is due whatever the clock says: there is no place to let it wait. */
  #overdueMs = Number.NEGATIVE_INFINITY;
  #context: OffscreenCanvasRenderingContext2D | null;

  constructor(private readonly canvas: OffscreenCanvas) {
    this.#context = canvas.getContext('2d', { alpha: false });
  }

  get waits(): boolean {
    return this.#pending.length > 0;
  }

  push(picture: DecodedPicture): void {
    this.#pending.push({ ...picture, decodedMs: Date.now() });
    while (this.#pending.length > MOST_PENDING) {
      this.#pending.shift()?.frame.close();
      this.#overdueMs = this.#pending[0]?.roomMs ?? this.#overdueMs;
    }
  }

  /** Paint the newest picture that is due by the room time `dueMs` (null: any); null when there is none. */
  paint(dueMs: number | null): Pending | null {
    const untilMs = dueMs === null ? Number.POSITIVE_INFINITY : Math.max(dueMs, this.#overdueMs);
    const due = this.#pending.findIndex((one) => one.roomMs > untilMs);
    const passed = this.#pending.splice(0, due === -1 ? this.#pending.length : due);
    const picture = passed[passed.length - 1];
    if (picture === undefined) return null;
    const { frame } = picture;
    if (this.canvas.width !== frame.displayWidth || this.canvas.height !== frame.displayHeight) {
      this.canvas.width = frame.displayWidth;
      this.canvas.height = frame.displayHeight;
    }
    this.#context?.drawImage(frame, 0, 0, this.canvas.width, this.canvas.height);
    for (const one of passed) one.frame.close();
    return picture;
  }

  clear(): void {
    this.#overdueMs = Number.NEGATIVE_INFINITY;
    for (const { frame } of this.#pending.splice(0)) frame.close();
  }
}
