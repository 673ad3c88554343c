/** Plays live tracks of one room in one media element through Media Source Extensions, close to the live edge.
 *
 * All tracks of a room share one media time line (room time), so a picture and the mix in one MediaSource are in sync by
 * construction. `lagMs` is now minus the capture time of the frame that is on the screen. A MediaSource that is broken,
 * full or stands still although it has media is replaced by itself, ever more seldom while that does not help, and
 * `trouble` says so; a worker that started anew (new init id) goes on in the same one; holes are jumped over. A track that
 * this browser cannot play is left out, and `unplayable` says why.
 */

import type { Envelope } from '../../envelope';
import { KIND } from '../../envelope';
import { DRIFT_MS, SoundDrift } from '../../drift';
import { type Broken, type LivePlayerOptions, type LiveStats, TROUBLE_MS } from '../liveStats';
import { whyUnplayable } from '../playable';
import { LivePace } from '../livePace';
import { Reopening } from '../reopening';
import { StageTimes } from '../stageTimes';
import { decodedFrames, watchFrames, type ShownFrame } from './frames';
import { PlaybackPacer } from './playbackPacer';
import { TrackBuffer } from './trackBuffer';

/** How long a picture waits for its sound's init segment before it starts without. */
const PARTNER_WAIT_MS = 1200;
const TICK_MS = 250;
const REBUILD_EVERY_MS = 1000;
/** Looks without a picture although there is media to show: then the decoder is dead. Looks, not time: a machine that slept
 * has not been looked at. */
const STUCK_LOOKS = 20;

export class MsePlayer {
  readonly stats: LiveStats;
  #unplayable = new Map<string, string>();
  #buffers = new Map<string, TrackBuffer>();
  #attached = new Set<string>();
  #media: MediaSource | null = null;
  #url = '';
  #abort = new AbortController();
  #pacer = new PlaybackPacer();
  #pace = new LivePace();
  #drift = new SoundDrift();
  #offsets: { roomMs: number; offsetMs: number }[] = [];
  #createdAt = performance.now();
  #firstInitAt = 0;
  #builtAt = -REBUILD_EVERY_MS;
  #started = false;
  #shownAt = 0;
  #reopening = new Reopening();
  #troubleAt = 0;
  #stuckLooks = 0;
  #framesSeen = '';
  #endFrames: () => void;
  #tick: ReturnType<typeof setInterval>;

  /** `addresses`: the track of the picture, and the sound's if it shall be heard. */
  constructor(
    private readonly video: HTMLVideoElement,
    addresses: string[],
    private readonly options: LivePlayerOptions = {},
  ) {
    this.stats = {
      path: 'MSE',
      lagMs: null,
      shownUtcMs: null,
      shownMs: null,
      reserveMs: 0,
      stalls: 0,
      firstPictureMs: null,
      frames: 0,
      decoded: 0,
      soundLateMs: null, // one element plays both by one clock
      soundHeld: false,
      unplayable: this.#unplayable,
      trouble: '',
      stages: new StageTimes(),
    };
    for (const address of addresses) {
      const buffer = new TrackBuffer(
        () => this.#appended(),
        (why) => this.#broke(why),
        () => this.video.currentTime,
        () => this.#suffer('full'),
      );
      this.#buffers.set(address, buffer);
    }
    const { signal } = this.#abort;
    video.addEventListener('waiting', () => this.#waiting(), { signal });
    video.addEventListener('error', () => this.#broke('failed'), { signal });
    video.addEventListener('seeked', () => this.#drift.based(video.currentTime * 1000), { signal });
    document.addEventListener('visibilitychange', () => this.#visible(), { signal });
    this.#tick = setInterval(() => this.#look(), TICK_MS);
    this.#endFrames = watchFrames(video, (frame) => this.#shown(frame));
  }

  take(envelope: Envelope): void {
    const buffer = this.#buffers.get(envelope.address);
    if (buffer === undefined) return;
    if (envelope.kind === KIND.fragment) {
      this.#learnOffset(envelope.roomMs, envelope.utcMs - envelope.roomMs);
      if (buffer.mime.startsWith('audio/')) this.#drift.took({ fromMs: envelope.roomMs, durationMs: envelope.durationMs });
      this.#measure(envelope, buffer);
    }
    const fresh = buffer.take(envelope);
    if (fresh) this.#judge(envelope.address, buffer.mime);
    if (fresh && this.#firstInitAt === 0) this.#firstInitAt = performance.now();
    if (fresh && this.#media !== null && !this.#attached.has(envelope.address)) this.#rebuild();
    else if (this.#media === null) this.#build();
  }

  get #sure(): boolean {
    return this.options.clockSure?.() ?? true;
  }

  #measure({ roomMs, durationMs, utcMs }: Envelope, buffer: TrackBuffer): void {
    const now = performance.now();
    if (this.#started && !this.video.seeking) this.#pacer.arrived(now, this.#behindS());
    if (buffer !== this.#buffers.values().next().value) return; // the picture is what is waited for
    this.#pace.comes(durationMs, now);
    if (!this.#pace.live) return;
    this.#pacer.measured(now - roomMs - durationMs, durationMs, this.#pace.burst);
    this.stats.reserveMs = this.#pacer.reserveS * 1000;
    if (this.#sure) this.stats.stages.add('transit', Date.now() - (this.options.clockOffsetMs?.() ?? 0) - utcMs);
  }

  destroy(): void {
    clearInterval(this.#tick);
    this.#abort.abort();
    this.#endFrames();
    this.#discard();
    this.video.removeAttribute('src');
    this.video.load();
  }

  /** Can the track be played as it is coded now? */
  #judge(address: string, mime: string): void {
    const why = whyUnplayable(mime);
    if (why === '') this.#unplayable.delete(address);
    else this.#unplayable.set(address, why);
  }

  #build(): void {
    const now = performance.now();
    if (now - this.#builtAt < REBUILD_EVERY_MS || !this.#reopening.due(now)) return;
    const all = [...this.#buffers.entries()].filter(([address]) => !this.#unplayable.has(address));
    const ready = all.filter(([, buffer]) => buffer.ready);
    if (ready.length === 0) return;
    if (ready.length < all.length && performance.now() - this.#firstInitAt < PARTNER_WAIT_MS) return;
    const media = new MediaSource();
    this.#media = media;
    this.#builtAt = performance.now();
    this.#pace.begin();
    this.#started = false;
    this.#url = URL.createObjectURL(media);
    media.addEventListener(
      'sourceopen',
      () => {
        if (this.#media !== media) return;
        try {
          media.duration = Number.POSITIVE_INFINITY; // of what goes on for ever Chromium holds back no picture
          for (const [address, buffer] of ready) {
            buffer.attach(media);
            this.#attached.add(address);
          }
        } catch {
          this.#broke('failed'); // a type that this browser cannot play now
        }
      },
      { once: true, signal: this.#abort.signal },
    );
    this.video.src = this.#url;
  }

  #discard(): void {
    for (const buffer of this.#buffers.values()) buffer.restart();
    this.#attached.clear();
    this.#media = null;
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
  }

  #rebuild(): void {
    if (this.#media === null) return;
    this.#discard();
    this.#build(); // unless that was just tried; then the tick does
  }

  /** What plays cannot go on: it is opened anew when its time has come. */
  #broke(why: Broken): void {
    if (this.#media === null) return;
    this.#reopening.broke(performance.now());
    this.#suffer(why);
    this.#stuckLooks = 0;
    this.#discard();
    // Without this an element that failed keeps its error, and what it is given next is not opened.
    this.video.removeAttribute('src');
    this.video.load();
  }

  #suffer(what: Broken): void {
    this.stats.trouble = what;
    this.#troubleAt = performance.now();
  }

  /** Media is there, nothing holds it up, and no picture comes of it: for how long? */
  #lookForLife(): void {
    const { video } = this;
    const seen = `${String(this.stats.frames)} ${String(decodedFrames(video))}`;
    const picture = this.#buffers.keys().next().value ?? '';
    const shouldShow = this.#attached.size === 0 || (!video.paused && this.#behindS() > 0.3 && !this.#unplayable.has(picture));
    if (seen !== this.#framesSeen || document.visibilityState !== 'visible') this.#stuckLooks = 0;
    else if (shouldShow) this.#stuckLooks += 1;
    this.#framesSeen = seen;
    if (this.#stuckLooks >= STUCK_LOOKS) this.#broke('failed');
  }

  #appended(): void {
    const { buffered } = this.video;
    if (this.#started || buffered.length === 0) return;
    this.#started = true;
    this.#jump(this.#pacer.startBehindS);
    void this.video.play().catch(() => undefined); // refused without a gesture when not muted; the page offers a button
  }

  /** Seconds between the cursor and the end of what can be played. */
  #behindS(): number {
    return this.video.buffered.length === 0 ? 0 : this.#edgeS() - this.video.currentTime;
  }

  /** Where what can be played ends: the element thinks that the newest picture lasts longer than it will. */
  #edgeS(): number {
    const { buffered } = this.video;
    return Math.min(buffered.end(buffered.length - 1), ...[...this.#buffers.values()].map((buffer) => buffer.edgeS));
  }

  #jump(behindS: number): void {
    const { buffered } = this.video;
    if (buffered.length === 0) return;
    this.video.currentTime = Math.max(buffered.start(buffered.length - 1), this.#edgeS() - behindS);
  }

  #look(): void {
    if (this.#media === null) {
      this.#build();
      this.options.onStats?.(this.stats);
      return;
    }
    if (this.#started && !this.video.seeking && document.visibilityState === 'visible') {
      this.#jumpHole();
      const pace = this.#pacer.decide(performance.now(), this.#behindS());
      if (pace.seekBehindS !== null) this.#jump(pace.seekBehindS);
      else this.#setSoundRight();
      if (this.video.playbackRate !== pace.rate) this.video.playbackRate = pace.rate;
      if (this.video.paused && this.video.muted) void this.video.play().catch(() => undefined);
    }
    this.#lookForLife();
    if (this.stats.trouble !== '' && performance.now() - this.#troubleAt > TROUBLE_MS) this.stats.trouble = '';
    if (this.stats.shownUtcMs !== null && performance.now() - this.#shownAt > TICK_MS * 2) {
      // The same frame is still shown: it grows older.
      this.stats.lagMs = Date.now() - (this.options.clockOffsetMs?.() ?? 0) - this.stats.shownUtcMs;
    }
    this.options.onStats?.(this.stats);
  }

  /** The sound has drifted from the picture: count anew from here. Nobody hears it while it is muted. */
  #setSoundRight(): void {
    const { video } = this;
    if (!video.muted && Math.abs(this.#drift.offMs(video.currentTime * 1000)) > DRIFT_MS) {
      video.currentTime = Number(video.currentTime);
    }
  }

  /** The cursor is before a hole (a worker died and came back): playback continues where media does. */
  #jumpHole(): void {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (currentTime < buffered.start(i) && (i === 0 || currentTime >= buffered.end(i - 1) - 0.05)) {
        this.video.currentTime = buffered.start(i) + 0.001;
        return;
      }
    }
  }

  #visible(): void {
    this.#pace.begin();
    if (document.visibilityState === 'visible' && this.#started && this.#behindS() > 0.5) this.#jump(this.#pacer.startBehindS);
  }

  #waiting(): void {
    if (this.stats.frames === 0 || this.video.seeking || document.visibilityState !== 'visible') return;
    this.stats.stalls += 1;
    this.#pacer.stalled(performance.now());
  }

  #learnOffset(roomMs: number, offsetMs: number): void {
    const last = this.#offsets.at(-1);
    if (last && Math.abs(last.offsetMs - offsetMs) < 0.5) return;
    this.#offsets.push({ roomMs, offsetMs });
    if (this.#offsets.length > 50) this.#offsets.shift();
  }

  /** UTC of a moment of the media time line, milliseconds. */
  #utcOf(roomMs: number): number | null {
    const known = this.#offsets.findLast((o) => o.roomMs <= roomMs + 1) ?? this.#offsets[0];
    return known ? roomMs + known.offsetMs : null;
  }

  #shown(frame: ShownFrame): void {
    const now = performance.now();
    const utc = this.#utcOf(frame.mediaTimeS * 1000);
    this.stats.frames += 1;
    this.stats.decoded = decodedFrames(this.video) ?? this.stats.frames;
    this.stats.shownMs = frame.mediaTimeS * 1000;
    this.stats.firstPictureMs ??= now - this.#createdAt;
    this.stats.shownUtcMs = utc;
    this.#shownAt = now;
    this.#reopening.plays(now);
    if (utc !== null) {
      const shownAt = Date.now() + (frame.shownAtMs - now);
      this.stats.lagMs = shownAt - (this.options.clockOffsetMs?.() ?? 0) - utc;
      if (this.#sure) this.stats.stages.add('lag', this.stats.lagMs);
    }
  }
}
