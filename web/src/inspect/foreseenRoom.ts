/** The room that somebody is about to open from the wall: its picture comes while the pointer still rests on its tile.
 *
 * One at a time, and not for long: what is watched is sent, and is written down as watched (`server/live/log.py`).
 */

import type { MediaHub } from '../lib/live/mediaHub';

/** Who passes over tiles on the way elsewhere asks for none of them. */
export const POINTER_RESTS_MS = 80;
/** Who rests for longer reads, and opens nothing. */
export const MOST_FORESEEN_MS = 10_000;

export class ForeseenRoom {
  #end: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly hub: Pick<MediaHub, 'listen'>) {}

  /** The pointer, or the focus, is on the tile of a room whose page begins with this track; null: with none. */
  over(track: string | null): void {
    this.out();
    if (track === null) return;
    this.#timer = setTimeout(() => {
      this.#end = this.hub.listen(track, () => undefined);
      this.#timer = setTimeout(() => this.out(), MOST_FORESEEN_MS);
    }, POINTER_RESTS_MS);
  }

  /** It is on none. */
  out(): void {
    clearTimeout(this.#timer);
    this.#end();
    this.#end = () => undefined;
  }
}
