/** How close to the live edge a player may stay, from how late media came and how much was left each time it did.
 *
 * Pure: numbers in, a decision out. The reserve is the measured jitter of arrivals and what a media element needs beside it.
 * It grows with every stall and shrinks again slowly when all is well, so a quiet network gives the shortest delay and a
 * busy machine a picture that does not stop.
 */

import { ArrivalJitter } from '../arrivalJitter';

export interface PlaybackPace {
  rate: number;
  /** Jump to this far behind the edge, seconds; null: do not jump. */
  seekBehindS: number | null;
}

const WINDOW_MS = 2500;
/** An element that holds less for its cursor stops now and then although everything comes in time. */
const ELEMENT_S = 0.06;
/** Before anything was measured. */
const FIRST_JITTER_S = 0.1;
const MOST_RESERVE_S = 0.6;
const FIRST_FRAGMENT_S = 0.13;
const TOO_FAR_S = 1.0;
/** More than the reserve by this is worth hurrying. */
const AMPLE_S = 0.04;
const HURRY = 1.05;
const LINGER = 0.96;
const CALM_MS = 10_000;

export class PlaybackPacer {
  #lows: { atMs: number; leftS: number }[] = [];
  #calmSinceMs = 0;
  #jitter = new ArrivalJitter();
  #fragmentS = FIRST_FRAGMENT_S;
  /** What stalls have added, seconds. */
  #doubtS = 0;

  /** At a fragment's arrival this much must still be there, seconds. */
  get reserveS(): number {
    const jitterS = this.#jitter.delayMs === null ? FIRST_JITTER_S : this.#jitter.reserveMs / 1000;
    return Math.min(MOST_RESERVE_S, ELEMENT_S + jitterS + this.#doubtS);
  }

  /** Where to begin behind the edge, seconds. */
  get startBehindS(): number {
    return this.reserveS + this.#fragmentS;
  }

  /** A fragment of `durationMs` came `delayMs` after its end, on any clock that does not leap; `burst`: right behind the one before it. */
  measured(delayMs: number, durationMs: number, burst = false): void {
    this.#jitter.add(delayMs, burst);
    this.#fragmentS = durationMs / 1000;
  }

  /** `leftS` seconds of media were still to be shown when the next fragment came. */
  arrived(atMs: number, leftS: number): void {
    this.#lows.push({ atMs, leftS });
    while ((this.#lows[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#lows.shift();
  }

  stalled(atMs: number): void {
    this.#doubtS = Math.min(MOST_RESERVE_S, this.#doubtS + 0.1);
    this.#calmSinceMs = atMs;
    this.#lows = [];
  }

  /** What to do now, with `behindS` seconds between the cursor and the end of the buffer. */
  decide(atMs: number, behindS: number): PlaybackPace {
    if (behindS > TOO_FAR_S + this.reserveS) {
      this.#lows = [];
      return { rate: 1, seekBehindS: this.startBehindS };
    }
    if (atMs - this.#calmSinceMs > CALM_MS) {
      this.#doubtS = Math.max(0, this.#doubtS - 0.02);
      this.#calmSinceMs = atMs;
    }
    if (this.#lows.length === 0) return { rate: 1, seekBehindS: null };
    const least = Math.min(...this.#lows.map((l) => l.leftS));
    if (least > this.reserveS + AMPLE_S) return { rate: HURRY, seekBehindS: null };
    if (least < this.reserveS * 0.5) return { rate: LINGER, seekBehindS: null };
    return { rate: 1, seekBehindS: null };
  }
}
