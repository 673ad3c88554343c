/** How much later than the earliest what comes live is there: the reserve a player needs, measured and not chosen.
 *
 * Pure: delays in, a reserve out. A delay is what a clock of this browser says when something can be shown, less the room
 * time that it is of; only differences count. The reserve is the 98th percentile of the last ten seconds' delays above their
 * least: two of a hundred pictures may be late, and are shown late. What is later than `MOST_RESERVE_MS` is no jitter but a
 * line that stood still, for which nobody waits the next time.
 */

export const MOST_RESERVE_MS = 250;
/** Ten seconds at 25 a second. */
const WINDOW = 250;
const SHARE = 0.98;

export class ArrivalJitter {
  #delays: number[] = [];
  /** The same, from the least to the most. */
  #sorted: number[] = [];
  #stood = false;

  /** `burst`: it came right behind the one before it; of what a line that stood still brings then nothing counts. */
  add(delayMs: number, burst = false): void {
    if (burst && this.#stood) return;
    this.#stood = delayMs > (this.#sorted[0] ?? delayMs) + MOST_RESERVE_MS;
    this.#delays.push(delayMs);
    this.#sorted.splice(place(this.#sorted, delayMs), 0, delayMs);
    if (this.#delays.length <= WINDOW) return;
    this.#sorted.splice(place(this.#sorted, this.#delays.shift() ?? 0), 1);
  }

  /** The delay that all but two of a hundred keep, milliseconds; null while nothing was measured. */
  get delayMs(): number | null {
    const least = this.#sorted[0];
    if (least === undefined) return null;
    const usual = place(this.#sorted, least + MOST_RESERVE_MS);
    return this.#sorted[Math.max(0, Math.ceil(usual * SHARE) - 1)] ?? least;
  }

  /** By how much that is more than the least, milliseconds. */
  get reserveMs(): number {
    return (this.delayMs ?? 0) - (this.#sorted[0] ?? 0);
  }
}

/** The first place in a sorted list whose value is not less. */
function place(sorted: readonly number[], value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? 0) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
