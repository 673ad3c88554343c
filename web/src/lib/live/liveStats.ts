/** What a live player tells of itself, whichever way its pictures take. */

import type { StageTimes } from './stageTimes';

/** The ways from coded to displayed, by the names of what browsers have for it. */
export type LivePath = 'WebCodecs' | 'MSE';

/** Why a player cannot go on: the browser holds no more, or what decodes has failed. */
export type Broken = 'full' | 'failed';

export interface LiveStats {
  path: LivePath;
  /** Now minus capture of the displayed frame, milliseconds; null before the first. */
  lagMs: number | null;
  /** UTC of the displayed frame, milliseconds. */
  shownUtcMs: number | null;
  /** Room time of the displayed frame, milliseconds. */
  shownMs: number | null;
  /** What is kept back for late arrivals, as they were measured. */
  reserveMs: number;
  /** Times that the picture stopped for want of media, after the first picture. */
  stalls: number;
  firstPictureMs: number | null;
  /** Pictures that were displayed, and that were decoded. */
  frames: number;
  decoded: number;
  /** How much later than its picture sound is heard, milliseconds; null where that is not known. */
  soundLateMs: number | null;
  /** The browser lets no sound be heard before a touch. */
  soundHeld: boolean;
  /** Why a track cannot be played here, in words, by its address. */
  unplayable: ReadonlyMap<string, string>;
  /** What the picture has just suffered: `full`, pictures were left out since the browser holds no more; `failed`, it is
   * opened anew; '' nothing. */
  trouble: Broken | '';
  /** What each stage of the way took. */
  stages: StageTimes;
}

export interface LivePlayerOptions {
  onStats?: (stats: LiveStats) => void;
  /** Browser clock minus the true UTC, milliseconds. */
  clockOffsetMs?: () => number;
  /** Is that measured, and not guessed while the page was loading? Of what comes before no stage is measured. */
  clockSure?: () => boolean;
}

/** So long after it was said that pictures were left out, or are opened anew, it is not said any more. */
export const TROUBLE_MS = 8000;
