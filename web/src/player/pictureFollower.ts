/** Another camera beside the main picture: the same cursor, an element of its own, no sound. */

import { stretchAt, type Stretch } from './playbackPlan';
import { RecordedSource } from './recordedSource';
import type { FetchPiece } from './trackLoad';

export class PictureFollower {
  private readonly source: RecordedSource;

  constructor(
    private readonly element: HTMLVideoElement,
    private readonly track: string,
    fetchPiece: FetchPiece,
  ) {
    this.source = new RecordedSource(element, fetchPiece, { ahead_ms: 10_000, chunk_ms: 10_000 });
  }

  /** Keep to the cursor; call a few times a second. True while there is a picture at that moment. */
  follow(list: readonly Stretch[], cursor_ms: number, playing: boolean, rate: number): boolean {
    const here = stretchAt(list, cursor_ms);
    const { element, source } = this;
    if (here === null || here.tracks.length === 0) {
      element.pause();
      return false;
    }
    const away = !source.holds(cursor_ms) && !source.reaching(cursor_ms);
    const turn_ms = source.turn(cursor_ms);
    if (source.broken && turn_ms === null) return true;
    if (source.tracks.length === 0 || away || turn_ms !== null) {
      source.open([this.track], turn_ms ?? cursor_ms, here.to_ms);
      return true;
    }
    source.extend(here.to_ms);
    source.pump(cursor_ms);
    if (element.readyState < 1) return true;
    const off_ms = element.currentTime * 1000 - cursor_ms;
    if (Math.abs(off_ms) > 300 && !element.seeking) element.currentTime = (cursor_ms + (playing ? 60 : 0)) / 1000;
    element.playbackRate = Math.abs(off_ms) < 30 ? rate : rate * (off_ms > 0 ? 0.94 : 1.06);
    if (playing && element.paused) void element.play().catch(() => undefined);
    if (!playing && !element.paused) element.pause();
    return true;
  }

  /** Why this browser cannot play the camera, in words; '' when it can. */
  get unplayable(): string {
    return this.source.whyNot(this.track);
  }

  /** What has just happened to its player, in words; '' when nothing did. */
  get notice(): string {
    return this.source.notice;
  }

  destroy(): void {
    this.source.destroy();
  }
}
