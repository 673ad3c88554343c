/** When what is of a moment of the room is shown or heard: room time plus an offset that follows the measured arrivals.
 *
 * Pure: times in, an offset out. It rises at once when arrivals get worse and falls slowly when they get better, so that
 * pictures hurry by no more than anybody sees; by more than a reserve may be it falls at once, since then the room's
 * clock has leapt. Where room time goes back, since another device counts it, nothing of before is a measure. Before
 * anything was measured there is none: what is there is shown.
 */

import { ArrivalJitter, MOST_RESERVE_MS } from '../arrivalJitter';

/** By how much that of pictures may fall in a second. */
const FALL_MS_PER_S = 20;
/** Nothing comes so far out of its order. */
const BACK_MS = 1000;

export class PlayoutClock {
  #jitter = new ArrivalJitter();
  #offsetMs: number | null = null;
  #atMs = 0;
  #roomMs = Number.NEGATIVE_INFINITY;

  /** `fallMsPerS`: by how much it may fall in a second. */
  constructor(private readonly fallMsPerS = FALL_MS_PER_S) {}

  /** Something of `roomMs` was ready at `atMs`; `burst`: it came right behind the one before it. */
  ready(roomMs: number, atMs: number, burst = false): void {
    if (roomMs < this.#roomMs - BACK_MS) {
      this.#jitter = new ArrivalJitter();
      this.#offsetMs = null;
    }
    this.#roomMs = roomMs;
    this.#jitter.add(atMs - roomMs, burst);
    const wanted = this.#jitter.delayMs ?? 0;
    const before = this.#offsetMs ?? wanted;
    const fallen = before - wanted > MOST_RESERVE_MS ? wanted : before - ((atMs - this.#atMs) / 1000) * this.fallMsPerS;
    this.#offsetMs = Math.max(wanted, fallen);
    this.#atMs = atMs;
  }

  /** This browser's clock minus room time at which it is shown; null while nothing is known. */
  get offsetMs(): number | null {
    return this.#offsetMs;
  }

  get reserveMs(): number {
    return this.#jitter.reserveMs;
  }
}
