/** Whether a media element still lives, and where it is opened anew when it does not.
 *
 * Dead is what has media before it, is held up by nobody and does not move. Looks are counted, not time: a machine that
 * slept, or a tab that was hidden, has not been looked at.
 */

import { Reopening } from '../lib/live/reopening';

/** Looks (a few a second) without a movement. */
const STUCK_LOOKS = 20;
/** What failed so often at one place is passed over by so much. */
const TRIES_AT_ONE_PLACE = 3;
export const PASS_MS = 2000;
/** What is nearer is the same place. */
const PLACE_MS = 1000;
/** So much lies before an element that can move, seconds. */
const ENOUGH_S = 0.5;

export class ElementHealth {
  private readonly reopening = new Reopening();
  private tries = { at_ms: Number.NEGATIVE_INFINITY, count: 0 };
  private looks = { count: 0, at_s: -1 };

  constructor(private readonly element: HTMLMediaElement) {}

  /** Another source was opened. */
  restart(): void {
    this.looks = { count: 0, at_s: -1 };
  }

  broke(): void {
    this.reopening.broke(performance.now());
  }

  /** Is it time to open it anew? */
  get due(): boolean {
    return this.reopening.due(performance.now());
  }

  /** One look; true when the element is dead. `opened`: its source is. */
  look(opened: boolean): boolean {
    const { element, looks } = this;
    const at_s = element.currentTime;
    const moved = at_s !== looks.at_s;
    looks.at_s = at_s;
    if (moved) this.reopening.plays(performance.now());
    const heldUp = opened && ((element.paused && !element.seeking) || !covers(element.buffered, at_s, ENOUGH_S));
    if (moved || heldUp || document.visibilityState !== 'visible') looks.count = 0;
    else looks.count += 1;
    return looks.count >= STUCK_LOOKS;
  }

  /** Where to open anew after it broke at the cursor: there, or a little later when that has not helped (`passed`). */
  goOn(cursor_ms: number, end_ms: number): { at_ms: number; passed: boolean } {
    const again = Math.abs(cursor_ms - this.tries.at_ms) < PLACE_MS;
    this.tries = { at_ms: cursor_ms, count: again ? this.tries.count + 1 : 1 };
    if (this.tries.count <= TRIES_AT_ONE_PLACE || cursor_ms + PASS_MS >= end_ms) return { at_ms: cursor_ms, passed: false };
    return { at_ms: cursor_ms + PASS_MS, passed: true };
  }
}

function covers(buffered: TimeRanges, at_s: number, more_s: number): boolean {
  for (let i = 0; i < buffered.length; i += 1) if (buffered.start(i) <= at_s && at_s + more_s < buffered.end(i)) return true;
  return false;
}
