/** How close to the live edge a player may stay, from how much media was left each time new media came.
 *
 * Pure: numbers in, a decision out. The reserve grows with every stall and shrinks again slowly when all is well, so a
 * quiet network gives the shortest delay and a busy machine a picture that does not stop.
 */

export interface PlaybackPace {
  rate: number;
  /** Jump to this far behind the edge, seconds; null: do not jump. */
  seekBehindS: number | null;
}

const WINDOW_MS = 2500;
/** At a fragment's arrival this much must still be there: a machine that also encodes and transcribes is late by that. */
const LEAST_RESERVE_S = 0.2;
/** Before anything is known of the machine; it shrinks when all is well. */
const FIRST_RESERVE_S = 0.32;
const MOST_RESERVE_S = 0.6;
const TOO_FAR_S = 1.0;
const HURRY = 1.05;
const LINGER = 0.96;
const CALM_MS = 10_000;

export class PlaybackPacer {
  #lows: { atMs: number; leftS: number }[] = [];
  #calmSinceMs = 0;
  reserveS = FIRST_RESERVE_S;

  /** Where to begin behind the edge, seconds. */
  get startBehindS(): number {
    return this.reserveS + 0.13;
  }

  /** `leftS` seconds of media were still to be shown when the next fragment came. */
  arrived(atMs: number, leftS: number): void {
    this.#lows.push({ atMs, leftS });
    while ((this.#lows[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#lows.shift();
  }

  stalled(atMs: number): void {
    this.reserveS = Math.min(MOST_RESERVE_S, this.reserveS + 0.1);
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
      this.reserveS = Math.max(LEAST_RESERVE_S, this.reserveS - 0.02);
      this.#calmSinceMs = atMs;
    }
    if (this.#lows.length === 0) return { rate: 1, seekBehindS: null };
    const least = Math.min(...this.#lows.map((l) => l.leftS));
    if (least > this.reserveS + 0.08) return { rate: HURRY, seekBehindS: null };
    if (least < this.reserveS * 0.5) return { rate: LINGER, seekBehindS: null };
    return { rate: 1, seekBehindS: null };
  }
}
