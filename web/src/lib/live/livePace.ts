/** Tells what comes as it is made from what is sent at once to whoever begins: all since the last key frame.
 *
 * Pure: lengths and times in. Only of what comes as it is made can be said how late it is.
 */

/** So many in a row that came no faster than they were made are no accident of a busy machine that takes them one by one. */
const PACED = 2;

export class LivePace {
  /** What came last came as it is made. */
  live = false;
  /** It came right behind the one before it: both waited somewhere. */
  burst = false;
  #paced = 0;
  #cameMs = Number.NEGATIVE_INFINITY;

  comes(durationMs: number, atMs: number): void {
    this.burst = atMs - this.#cameMs < durationMs / 2;
    this.#paced = this.burst ? 0 : this.#paced + 1;
    this.#cameMs = atMs;
    if (this.#paced >= PACED) this.live = true;
  }

  /** What comes next may be all since the last key frame again. */
  begin(): void {
    this.live = false;
    this.#paced = 0;
  }

  /** When something came last. */
  get cameMs(): number {
    return this.#cameMs;
  }
}
