/**
 * The cursor of a recorded hearing: one room time (ms) that picture, sound, words and exhibit follow.
 *
 * The main element is the clock. Playback runs through the stretches of the plan; what has no media is skipped and
 * `skipped` says from where to where and why.
 */

import { explainSkip, playableFrom, stretchAt, type Range, type Skip, type Stretch } from './playbackPlan';
import { RecordedSource } from './recordedSource';
import type { FetchPiece } from './trackLoad';
import type { Span } from './momentLookup';

export const RATES = [1, 1.5, 2] as const;

/** Media arrives every few seconds: at the growing end playback goes on when so much is there, not piece by piece. */
export const CUSHION_MS = 5000;

const NOTE_MS = 6000;
const HIDDEN_TICK_MS = 500;
/** So long before a track cannot be played any more the source is opened anew: there the element would stand still. */
const NEAR_MS = 300;
/** A hole inside the buffer that is shorter than this is stepped over. */
const STEP_MS = 1500;
/** A longer hole is stepped over after waiting this long. */
const LOST_MS = 2500;

export class Playback {
  ms = $state(0);
  playing = $state(false);
  waiting = $state(false);
  rate = $state(1);
  muted = $state(false);
  /** The last skip, while its note is shown. */
  skipped = $state<Skip | null>(null);
  /** Why media does not arrive, in the server's words. */
  problem = $state('');
  /** What has just happened to the player, in words. */
  notice = $state('');
  /** Why this browser cannot play a track that is loaded, in words. */
  unplayable = $state('');
  /** The cursor is at the end of what has been recorded. */
  atEnd = $state(false);
  /** Tracks whose media is loaded now; without the camera there is sound alone. */
  loaded = $state<readonly string[]>([]);

  private element: HTMLMediaElement | null = null;
  private source: RecordedSource | null = null;
  private list: readonly Stretch[] = [];
  private pauses: readonly (Span & { reason: string })[] = [];
  private gaps: readonly (Span & { why: string })[] = [];
  private target: number | null = null;
  private frame = 0;
  private lastPump = 0;
  private noteTimer: ReturnType<typeof setTimeout> | undefined;
  private stuckSince = 0;

  constructor(private readonly fetchPiece: FetchPiece) {}

  /** Take an element as the clock; the answer lets it go. */
  attach(element: HTMLMediaElement): () => void {
    this.element = element;
    this.source = new RecordedSource(element, this.fetchPiece);
    this.source.onproblem = (words) => (this.problem = words);
    this.source.onunplayable = (words) => (this.unplayable = words);
    element.muted = this.muted;
    if (this.list.length > 0) this.go(this.ms);
    const loop = () => {
      this.tick();
      this.frame = requestAnimationFrame(loop);
    };
    this.frame = requestAnimationFrame(loop);
    // A hidden tab repaints nothing: its sound goes on all the same.
    const hidden = setInterval(() => document.visibilityState === 'hidden' && this.tick(), HIDDEN_TICK_MS);
    return () => {
      clearInterval(hidden);
      cancelAnimationFrame(this.frame);
      clearTimeout(this.noteTimer);
      this.source?.destroy();
      this.source = null;
      this.element = null;
    };
  }

  /** What can be played; again whenever the hearing has grown or another camera is the main one. `growing`: it runs. */
  plan(
    list: readonly Stretch[],
    pauses: readonly (Span & { reason: string })[],
    gaps: readonly (Span & { why: string })[],
    growing = false,
  ): void {
    const first = this.list.length === 0;
    this.list = list;
    this.pauses = pauses;
    this.gaps = gaps;
    if (this.source === null || list.length === 0) return;
    const here = stretchAt(list, this.ms);
    if (first || (this.atEnd && ahead(list, this.ms) > (growing ? CUSHION_MS : 0))) this.go(this.ms);
    else if (here !== null && here.tracks.length > 0) {
      if (here.tracks.join() === this.source.tracks.join()) this.source.extend(here.to_ms);
      else this.go(this.ms);
    }
  }

  seek(at_ms: number): void {
    this.skipped = null;
    this.go(at_ms);
  }

  play(): void {
    this.playing = true;
    if (this.atEnd) this.go(this.ms);
    this.start();
  }

  pause(): void {
    this.playing = false;
    this.element?.pause();
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  setRate(rate: number): void {
    this.rate = rate;
    if (this.element !== null) this.element.playbackRate = rate;
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    if (this.element !== null) this.element.muted = muted;
  }

  private start(): void {
    const element = this.element;
    if (element === null || this.source === null || this.source.tracks.length === 0) return;
    element.playbackRate = this.rate;
    element.play().catch((error: unknown) => {
      // A browser that has not been touched yet plays without sound only.
      if (error instanceof DOMException && error.name === 'NotAllowedError' && !element.muted) {
        this.setMuted(true);
        this.start();
      }
    });
  }

  /** Put the cursor at `at_ms`, or where media begins after it. */
  private go(at_ms: number): void {
    const next = playableFrom(this.list, at_ms);
    this.atEnd = next === null;
    if (next === null) {
      const last = this.list[this.list.length - 1];
      this.ms = last === undefined ? at_ms : Math.min(at_ms, last.to_ms);
      this.element?.pause();
      return;
    }
    if (next.at_ms > at_ms) this.note(explainSkip(at_ms, next.at_ms, this.pauses, this.gaps));
    this.ms = next.at_ms;
    this.target = next.at_ms;
    this.stuckSince = 0;
    this.source?.open(next.stretch.tracks, next.at_ms, next.stretch.to_ms);
    this.loaded = next.stretch.tracks;
    if (this.playing) this.start();
  }

  private note(skip: Skip): void {
    if (skip.to_ms - skip.from_ms < 500) return; // the seam between two tracks' beginnings
    this.skipped = skip;
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => (this.skipped = null), NOTE_MS);
  }

  private tick(): void {
    const { element, source } = this;
    if (element === null || source === null || this.atEnd) return;
    const now = performance.now();
    this.notice = source.notice;
    if (source.broken) {
      const again_ms = source.turn(this.ms);
      if (again_ms !== null) this.go(again_ms);
      return;
    }
    const shown_ms = element.currentTime * 1000;
    if (this.target !== null) {
      const arrived = !element.seeking && element.readyState >= 2 && Math.abs(shown_ms - this.target) < STEP_MS;
      if (arrived) this.target = null;
    }
    if (this.target === null) this.ms = shown_ms;
    if (now - this.lastPump > 250) {
      this.lastPump = now;
      source.pump(this.ms);
      if (this.target === null && this.playing) source.setSoundRight();
    }
    this.waiting = element.readyState < 3;
    if (this.waiting) this.unstick(element, now);
    else this.stuckSince = 0;
    if (this.target !== null) return;
    const turn_ms = source.turn(this.ms, this.playing ? NEAR_MS : 0);
    if (turn_ms !== null) this.go(turn_ms);
    else this.cross(stretchAt(this.list, this.ms), now);
  }

  /** Go on in the next stretch when this one ends. A busy browser looks late, so the end may already be behind. */
  private cross(here: Stretch | null, now: number): void {
    if (here === null) this.go(this.ms);
    else if (here.tracks.length === 0) this.go(here.from_ms); // so that the note says all of what is skipped
    else if (here.tracks.join() !== this.loaded.join()) this.go(this.ms);
    else {
      const near_ms = this.waiting && now - this.stuckSince > 500 ? 400 : 30;
      if (here.to_ms - this.ms < near_ms) this.go(here.to_ms);
    }
  }

  /** Steps over a hole that no plan knew of, once waiting has not helped; a long one is noted on the page. */
  private unstick(element: HTMLMediaElement, now: number): void {
    if (this.stuckSince === 0) this.stuckSince = now;
    if (now - this.stuckSince < 300) return;
    const at_ms = this.target ?? element.currentTime * 1000;
    const start = spans(element.buffered).find(([from, to]) => from > at_ms && to > from + 100)?.[0];
    const inside = spans(element.buffered).some(([from, to]) => from <= at_ms && at_ms < to - 100);
    if (inside || start === undefined || (start - at_ms > STEP_MS && now - this.stuckSince < LOST_MS)) return;
    this.stuckSince = now;
    if (start - at_ms > STEP_MS) this.note(explainSkip(at_ms, start, this.pauses, this.gaps));
    if (this.target !== null) this.target = start + 5;
    element.currentTime = (start + 5) / 1000;
  }
}

/** How much there is to play after a moment. */
function ahead(list: readonly Stretch[], at_ms: number): number {
  const playable = list.filter((stretch) => stretch.tracks.length > 0 && stretch.to_ms > at_ms);
  return playable.reduce((sum, stretch) => sum + stretch.to_ms - Math.max(at_ms, stretch.from_ms), 0);
}

function spans(buffered: TimeRanges): Range[] {
  return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i) * 1000, buffered.end(i) * 1000] as const);
}
