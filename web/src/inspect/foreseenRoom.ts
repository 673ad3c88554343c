/** The room that somebody is about to open from the wall: its picture comes while the pointer still rests on its tile.
 *
 * One at a time, and not for long: what is watched is sent, and is written down as watched (`server/live/log.py`).
 */

import type { MediaHub } from '../lib/live/mediaHub';

/** Who passes over tiles on the way elsewhere asks for none of them. */
export const POINTER_RESTS_MS = 80;
/** Who rests for longer reads, and opens nothing. */
export const MOST_FORESEEN_MS = 10_000;
/** The wall is left for so long before the page of the room has surely asked for the same. */
export const HANDED_ON_MS = 2000;

export class ForeseenRoom {
  #end: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #handedOn = false;
  #track: string | null = null;

  constructor(private readonly hub: Pick<MediaHub, 'listen'>) {}

  /** The pointer, or the focus, is on the tile of a room whose page begins with this track; null: with none. */
  over(track: string | null): void {
    if (this.#handedOn || track === this.#track) return; // a click brings the focus to where the pointer is
    this.out();
    this.#track = track;
    if (track === null) return;
    this.#timer = setTimeout(() => {
      this.#end = this.hub.listen(track, () => undefined);
      this.#timer = setTimeout(() => this.out(), MOST_FORESEEN_MS);
    }, POINTER_RESTS_MS);
  }

  /** The room is opened: no moment lies between what was asked for here and what its page asks for. */
  handOn(): void {
    clearTimeout(this.#timer);
    this.#handedOn = true;
    this.#timer = setTimeout(() => {
      this.#handedOn = false;
      this.out();
    }, HANDED_ON_MS);
  }

  /** It is on none. */
  out(): void {
    if (this.#handedOn) return;
    clearTimeout(this.#timer);
    this.#end();
    this.#end = () => undefined;
    this.#track = null;
  }
}
