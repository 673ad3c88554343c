/** When a player that broke is opened anew: soon, then ever more seldom, and soon again once it has played for a while.
 *
 * Pure: times in, decisions out. It never gives up, since what broke a player (a decoder that died, memory that ran out)
 * may pass; it only asks more and more seldom, so that a page that cannot play does not keep its machine busy.
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Playing for so long after it was opened anew counts as healed. */
const HEALED_MS = 10_000;

export class Reopening {
  /** How often it broke since it last played for a while. */
  tries = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #brokeAt = 0;

  broke(atMs: number): void {
    this.#notBefore = atMs + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries);
    this.#brokeAt = atMs;
    this.tries += 1;
  }

  /** Is it time to open it anew? */
  due(atMs: number): boolean {
    return atMs >= this.#notBefore;
  }

  /** It plays now. */
  plays(atMs: number): void {
    if (this.tries > 0 && atMs - this.#brokeAt > HEALED_MS) this.tries = 0;
  }
}
