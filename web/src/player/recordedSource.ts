/**
 * Recorded media of a hearing in one media element: fetches ranges ahead of the cursor, appends them, evicts what lies
 * behind. `currentTime` is room time in seconds, so that all elements of a page share one clock by construction.
 *
 * Promises: the bytes of a stretch are asked for once, in order, a few seconds ahead and never the whole hearing; a
 * failed request is tried again and reported to the caller. A track that this browser cannot play keeps nobody waiting,
 * and where a camera changes its codec `turn` says that the source has to be opened anew. It does so too when the element
 * failed, stands still with media before it, or is so full that nothing can be appended; what fails again at one place is
 * passed over, and said. What the browser throws out of a full buffer is fetched again when it is needed. Refuses: to
 * invent media; a hole stays a hole.
 */

import { DRIFT_MS, SoundDrift, soundOf } from '../lib/drift';
import { t } from '../lib/i18n.svelte';
import { whyUnplayable } from '../lib/live/playable';
import { ElementHealth, PASS_MS } from './elementHealth';
import { QuotaBuffer } from './quotaBuffer';
import { type FetchPiece, type Media, type MediaPiece, newLoad, type TrackLoad } from './trackLoad';
import { APPETITE, nextChunk, type Appetite } from './playbackPlan';

const KEEP_BEHIND_S = 30;
const RETRY_MS = 1000;
/** So often, in time of the hearing, it is looked whether an unplayable track can be played again. */
const LOOK_MS = 5000;
/** A moment of this length is enough to learn a type. */
const GLANCE_MS = 1;
/** So far the cursor moves before a full buffer is tried again, and so little before it makes a full buffer a standstill. */
const ROOM_MS = 1000;
/** The least that one request asks for, however small the browser's buffer is. */
const LEAST_CHUNK_MS = 500;
/** A piece of so many bytes may be more than a browser holds: it is looked whether it is all there. */
const LARGE_BYTES = 256 * 1024;
/** So long it is said what happened to the player. */
const SAID_MS = 6000;

export class RecordedSource {
  private media: MediaSource | null = null;
  private url = '';
  private lanes: TrackLoad[] = [];
  private base_ms = 0;
  private stretch_to_ms = 0;
  private abort = new AbortController();
  private generation = 0;
  private readonly drift = new SoundDrift();
  private readonly sought = () => this.drift.based(this.element.currentTime * 1000);
  private readonly failed = () => this.broke();
  private readonly health: ElementHealth;
  private opened = false;
  private isBroken = false;
  private chunk_ms: number;
  private said = { words: '', until: 0 };
  /** What went wrong with the last request, in the server's words; '' when nothing did. */
  problem = '';
  onproblem: (words: string) => void = () => undefined;
  /** Called with why this browser cannot play a track, in words; '' when it can play all. */
  onunplayable: (words: string) => void = () => undefined;

  constructor(
    private readonly element: HTMLMediaElement,
    private readonly fetchPiece: FetchPiece,
    private readonly appetite: Appetite = APPETITE,
  ) {
    this.chunk_ms = appetite.chunk_ms;
    this.health = new ElementHealth(element);
    element.addEventListener('seeked', this.sought);
    element.addEventListener('error', this.failed);
  }

  /** The tracks that are loaded. */
  get tracks(): readonly string[] {
    return this.lanes.map((lane) => lane.track);
  }

  /** Show `tracks` from `at_ms`; media is fetched up to `stretch_to_ms`. Keeps what is buffered when it can. */
  open(tracks: readonly string[], at_ms: number, stretch_to_ms: number): void {
    this.stretch_to_ms = stretch_to_ms;
    const same = this.media?.readyState === 'open' && !this.isBroken && this.tracks.join() === tracks.join();
    if (same && this.holds(at_ms)) {
      this.element.currentTime = at_ms / 1000;
      this.pump(at_ms);
      return;
    }
    void this.restart(tracks, at_ms);
  }

  /** Why the browser cannot play a track; '' when it can, or nothing is known yet. */
  whyNot(track: string): string {
    return this.lanes.find((lane) => lane.track === track)?.unplayable ?? '';
  }

  /** The stretch has grown: the hearing still runs. */
  extend(stretch_to_ms: number): void {
    this.stretch_to_ms = stretch_to_ms;
  }

  /** Is `at_ms` buffered in every track? */
  holds(at_ms: number): boolean {
    return (
      this.lanes.length > 0 &&
      at_ms >= this.base_ms &&
      this.lanes.every((lane) => at_ms < lane.fetched_to_ms && (lane.unplayable !== '' || lane.buffer?.covers(at_ms) === true))
    );
  }

  /** Is media for `at_ms` on its way, so that opening anew would only delay it? */
  reaching(at_ms: number): boolean {
    return (
      this.lanes.length > 0 &&
      at_ms >= this.base_ms - 50 &&
      this.lanes.every((lane) => at_ms < lane.fetched_to_ms + this.appetite.chunk_ms)
    );
  }

  /**
   * Where to open anew, when a track that is played cannot be from the cursor on, or can be again; else null. `near_ms`
   * before that: an element stands still at the end of what one of its tracks has.
   */
  turn(cursor_ms: number, near_ms = 0): number | null {
    if (this.isBroken) return this.health.due ? this.goOn(cursor_ms) : null;
    const due = this.lanes.flatMap(({ turns_at_ms }) => (turns_at_ms !== null && cursor_ms >= turns_at_ms - near_ms ? [turns_at_ms] : []));
    return due.length === 0 ? null : Math.max(cursor_ms, ...due.map((at_ms) => at_ms + 1));
  }

  /** The element cannot go on, and `turn` says when and where it is opened anew. */
  get broken(): boolean {
    return this.isBroken;
  }

  /** Fetch what the cursor will need; call a few times a second. */
  pump(cursor_ms: number): void {
    if (this.media === null || this.isBroken) return;
    if ((this.opened && this.media.readyState !== 'open') || this.health.look(this.opened)) this.broke();
    if (this.isBroken || this.media.readyState !== 'open') return;
    for (const lane of this.lanes) {
      if (lane.buffer !== null) void this.feed(lane, cursor_ms);
      else if (lane.unplayable !== '') void this.look(lane, cursor_ms);
    }
  }

  /** Call now and then while it plays: sound that has drifted from the picture is set right, unless nobody hears it. */
  setSoundRight(): void {
    const { element } = this;
    if (element.muted || element.seeking || this.media?.readyState !== 'open') return;
    if (Math.abs(this.drift.offMs(element.currentTime * 1000)) > DRIFT_MS) element.currentTime = Number(element.currentTime);
  }

  destroy(): void {
    this.generation++;
    this.element.removeEventListener('seeked', this.sought);
    this.element.removeEventListener('error', this.failed);
    this.abort.abort();
    this.media = null;
    this.lanes = [];
    if (this.url !== '') {
      URL.revokeObjectURL(this.url);
      this.url = '';
      this.element.removeAttribute('src');
      this.element.load();
    }
  }

  private async restart(tracks: readonly string[], at_ms: number): Promise<void> {
    this.abort.abort();
    this.abort = new AbortController();
    const generation = ++this.generation;
    this.drift.clear();
    this.isBroken = false;
    this.opened = false;
    this.health.restart();
    this.base_ms = at_ms;
    const unplayable = whyUnplayable('');
    this.lanes = tracks.map((track) => newLoad(track, at_ms, unplayable));
    this.tell();
    if (this.lanes.every((lane) => lane.unplayable !== '')) return;
    const rate = this.element.playbackRate;
    const media = new MediaSource();
    const old = this.url;
    this.url = URL.createObjectURL(media);
    this.media = media;
    this.element.src = this.url;
    this.element.playbackRate = rate;
    if (old !== '') URL.revokeObjectURL(old);
    await new Promise<void>((opened) => media.addEventListener('sourceopen', () => opened(), { once: true }));
    if (generation !== this.generation) return;
    this.opened = true;
    media.duration = Number.POSITIVE_INFINITY;
    // The first piece of every track carries its type; all buffers must exist before the first is filled.
    const pieces = await Promise.all(this.lanes.map((lane) => this.first(lane, generation)));
    if (generation !== this.generation) return;
    for (const [i, lane] of this.lanes.entries()) {
      const piece = pieces[i];
      if (piece === undefined || piece === null) continue;
      lane.mime = piece.mime;
      lane.unplayable = whyUnplayable(piece.mime);
      if (lane.unplayable === '') lane.buffer = new QuotaBuffer(media.addSourceBuffer(piece.mime), this.element);
      else lane.fetched_to_ms = Math.max(piece.to_ms, at_ms);
    }
    this.tell();
    this.element.currentTime = at_ms / 1000;
    for (const [i, lane] of this.lanes.entries()) {
      const piece = pieces[i];
      if (piece) void this.begin(lane, piece);
    }
  }

  /** Nothing else is fetched for the track before its first piece is there: it would be the same. */
  private async begin(lane: TrackLoad, piece: Media): Promise<void> {
    lane.busy = true;
    try {
      await this.append(lane, piece);
    } finally {
      lane.busy = false;
    }
  }

  private async first(lane: TrackLoad, generation: number): Promise<Media | null> {
    while (generation === this.generation) {
      const chunk = nextChunk(lane.fetched_to_ms, lane.fetched_to_ms, this.stretch_to_ms, this.wants());
      const piece = chunk === null ? null : await this.ask(lane, chunk.from_ms, chunk.to_ms);
      if (piece !== null && piece.bytes !== null) return piece;
      await sleep(RETRY_MS);
    }
    return null;
  }

  private async feed(lane: TrackLoad, cursor_ms: number): Promise<void> {
    if (lane.busy || lane.turns_at_ms !== null || performance.now() < lane.retry_at) return;
    if (lane.waiting !== null && Math.abs(cursor_ms - lane.waiting.cursor_ms) < ROOM_MS) return;
    const generation = this.generation;
    this.fetchAgain(lane, cursor_ms);
    const chunk = nextChunk(cursor_ms, lane.fetched_to_ms, this.stretch_to_ms, this.wants());
    const waiting = lane.waiting?.piece ?? null;
    lane.waiting = null;
    if (chunk === null && waiting === null) return;
    lane.busy = true;
    try {
      const piece = waiting ?? (chunk === null ? null : await this.ask(lane, chunk.from_ms, chunk.to_ms));
      if (generation !== this.generation || piece === null) return;
      if (piece.bytes !== null) await this.append(lane, piece);
      else if (piece.next_ms !== null && piece.next_ms > Math.max(cursor_ms, lane.fetched_to_ms)) lane.fetched_to_ms = piece.next_ms;
      else lane.retry_at = performance.now() + RETRY_MS;
    } finally {
      lane.busy = false;
    }
  }

  /** Whether an unplayable track can be played again at the cursor: a moment of it tells, not the whole of it. */
  private async look(lane: TrackLoad, cursor_ms: number): Promise<void> {
    if (lane.busy || lane.turns_at_ms !== null || performance.now() < lane.retry_at) return;
    if (cursor_ms < lane.fetched_to_ms || cursor_ms >= this.stretch_to_ms - GLANCE_MS) return;
    const generation = this.generation;
    lane.busy = true;
    try {
      const piece = await this.ask(lane, cursor_ms, cursor_ms + GLANCE_MS);
      if (generation !== this.generation || piece === null) return;
      if (piece.bytes === null) lane.retry_at = performance.now() + RETRY_MS;
      else if (whyUnplayable(piece.mime) === '') lane.turns_at_ms = cursor_ms;
      else lane.fetched_to_ms = cursor_ms + LOOK_MS;
    } finally {
      lane.busy = false;
    }
  }

  private async ask(lane: TrackLoad, from_ms: number, to_ms: number): Promise<MediaPiece | null> {
    try {
      const piece = await this.fetchPiece(lane.track, from_ms, to_ms, this.abort.signal);
      this.report(piece.bytes === null ? (piece.unreadable ?? '') : '');
      return piece;
    } catch (error) {
      if (this.abort.signal.aborted) return null;
      lane.retry_at = performance.now() + RETRY_MS;
      this.report(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  private async append(lane: TrackLoad, piece: Media): Promise<void> {
    const buffer = lane.buffer;
    if (buffer === null) return;
    if (whyUnplayable(piece.mime) !== '') {
      lane.turns_at_ms = lane.fetched_to_ms; // what is there is played; a buffer with nothing behind it holds up all others
      return;
    }
    const generation = this.generation;
    try {
      const behind_s = this.element.currentTime - KEEP_BEHIND_S;
      if (await buffer.forget(behind_s, 10)) this.base_ms = Math.max(this.base_ms, behind_s * 1000);
      const taken = await buffer.append(piece.bytes, piece.mime);
      if (generation !== this.generation) return;
      lane.mime = piece.mime;
      if (!taken || this.thrownOut(buffer, piece)) {
        this.full(lane, piece);
        return;
      }
    } catch (error) {
      // The source was closed meanwhile; whoever closed it, or the element's own failure, opens another.
      if (!(error instanceof DOMException)) throw error;
      lane.retry_at = performance.now() + RETRY_MS;
      if (error.name !== 'InvalidStateError') this.report(error.message);
      return;
    }
    if (piece.mime.startsWith('audio/')) for (const sound of soundOf(piece.bytes)) this.drift.took(sound);
    const to_ms = piece.bytes.byteLength < LARGE_BYTES ? piece.to_ms : Math.min(piece.to_ms, buffer.endOf(lane.fetched_to_ms, piece.to_ms));
    if (to_ms > lane.fetched_to_ms + 1) lane.fetched_to_ms = to_ms;
    else lane.retry_at = performance.now() + RETRY_MS; // the end of what has arrived so far
  }

  /** A browser that holds less than a piece takes it and throws out its beginning, which is what the cursor waits for. */
  private thrownOut(buffer: QuotaBuffer, piece: Media): boolean {
    const cursor_ms = this.element.currentTime * 1000;
    const wanted = piece.from_ms <= cursor_ms && cursor_ms < piece.to_ms;
    return wanted && piece.bytes.byteLength >= LARGE_BYTES && this.chunk_ms > LEAST_CHUNK_MS && !buffer.covers(cursor_ms);
  }

  /**
   * Nothing could be thrown out for a piece: from now on smaller ones are asked for. Where the cursor has enough before it
   * they come when it has moved on; else another source is opened.
   */
  private full(lane: TrackLoad, piece: Media): void {
    const cursor_ms = this.element.currentTime * 1000;
    const smaller = this.chunk_ms > LEAST_CHUNK_MS;
    this.chunk_ms = Math.max(LEAST_CHUNK_MS, this.chunk_ms / 2);
    if (smaller) this.say(t('media.smaller'));
    if (lane.buffer !== null && lane.buffer.aheadMs(cursor_ms) > ROOM_MS) lane.waiting = { piece: smaller ? null : piece, cursor_ms };
    else this.broke(t('media.smaller'), smaller);
  }

  /** The browser may throw out what is ahead of the cursor, too: it is fetched again. */
  private fetchAgain(lane: TrackLoad, cursor_ms: number): void {
    if (lane.buffer === null || lane.waiting !== null || lane.fetched_to_ms < cursor_ms + ROOM_MS) return;
    if (lane.buffer.endsAfter(cursor_ms)) return;
    lane.fetched_to_ms = cursor_ms;
    lane.retry_at = performance.now() + RETRY_MS;
  }

  private wants(): Appetite {
    return { ...this.appetite, chunk_ms: this.chunk_ms };
  }

  /** What is loaded cannot be played on. `atOnce`: another source will do better, and is not waited for. */
  private broke(words = t('media.again'), atOnce = false): void {
    if (this.media === null || this.isBroken) return;
    this.isBroken = true;
    this.abort.abort();
    if (!atOnce) this.health.broke();
    this.say(words);
  }

  /** Where to open anew after it broke at the cursor. */
  private goOn(cursor_ms: number): number {
    const { at_ms, passed } = this.health.goOn(cursor_ms, this.stretch_to_ms);
    if (passed) this.say(t('media.passed', { s: PASS_MS / 1000 }));
    return at_ms;
  }

  private tell(): void {
    this.onunplayable(this.lanes.find((lane) => lane.unplayable !== '')?.unplayable ?? '');
  }

  /** What has just happened to the player, in words; '' when nothing did. */
  get notice(): string {
    return performance.now() < this.said.until ? this.said.words : '';
  }

  private say(words: string): void {
    this.said = { words, until: performance.now() + SAID_MS };
  }

  private report(words: string): void {
    if (words === this.problem) return;
    this.problem = words;
    this.onproblem(words);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
