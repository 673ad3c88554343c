/** Plays one live picture, and its sound where it is asked for, by WebCodecs: the page's side of `LiveDecoding`.
 *
 * The page has the socket; each message's bytes are given to the worker, which decodes and paints. What the worker reports a
 * few times a second becomes the player's `stats`.
 */

import type { Envelope } from '../../envelope';
import { type LivePlayerOptions, type LiveStats, TROUBLE_MS } from '../liveStats';
import { StageTimes } from '../stageTimes';
import { decoderThread } from './decoderThread';
import { SoundOutput } from './soundOutput';
import type { PictureReport, TakenMessage } from './workerMessages';

export class CodecsPlayer {
  readonly stats: LiveStats;
  #id: number;
  #begunAt = performance.now();
  #sound: SoundOutput | null = null;
  #troubleAt = 0;

  /** `onGone`: the worker was lost, and the canvas with it; so many times, since one has worked for a while. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly options: LivePlayerOptions & { onGone: (tries: number) => void },
  ) {
    this.stats = {
      path: 'WebCodecs',
      lagMs: null,
      shownUtcMs: null,
      shownMs: null,
      reserveMs: 0,
      stalls: 0,
      firstPictureMs: null,
      frames: 0,
      decoded: 0,
      soundLateMs: null,
      soundHeld: false,
      unplayable: new Map(),
      trouble: '',
      stages: new StageTimes(),
    };
    this.#id = decoderThread.open(canvas, (report) => this.#reported(report), options.onGone);
  }

  takePicture(envelope: Envelope): void {
    this.#give('picture', envelope);
  }

  takeSound(envelope: Envelope): void {
    if (this.#sound !== null) this.#give('sound', envelope);
  }

  /** Begin to be heard; `onFailed` when the browser gives no sound: then there is nothing to hear, and nothing is decoded. */
  hear(onFailed: () => void): void {
    this.hush();
    const { port1, port2 } = new MessageChannel();
    try {
      this.#sound = new SoundOutput(port1, () => {
        this.hush();
        onFailed();
      });
    } catch {
      onFailed(); // this browser opens no more sound than it has
      return;
    }
    decoderThread.say({ order: 'hear', id: this.#id, port: port2 }, [port2]);
  }

  hush(): void {
    if (this.#sound === null) return;
    this.#sound.close();
    this.#sound = null;
    this.stats.soundLateMs = null;
    this.stats.soundHeld = false;
    decoderThread.say({ order: 'hush', id: this.#id });
  }

  destroy(): void {
    this.hush();
    decoderThread.close(this.#id);
  }

  #give(order: 'picture' | 'sound', envelope: Envelope): void {
    const { kind, keyFrame, initId, sequence, roomMs, utcMs, durationMs, payload } = envelope;
    const message: TakenMessage = { kind, keyFrame, initId, sequence, roomMs, utcMs, durationMs, payload, arrivedMs: Date.now() };
    decoderThread.say({ order, id: this.#id, message }, [payload.buffer]);
  }

  #reported(report: PictureReport): void {
    const { stats } = this;
    const now = performance.now();
    const clockMs = this.options.clockOffsetMs?.() ?? 0;
    if (report.painted > 0) stats.firstPictureMs ??= now - this.#begunAt;
    stats.frames = report.painted;
    stats.decoded = report.decoded;
    stats.stalls = report.stalls;
    stats.reserveMs = report.reserveMs;
    const sure = this.options.clockSure?.() ?? true;
    for (const [transit, decode, wait] of sure ? report.stages : []) {
      stats.stages.add('transit', transit - clockMs);
      stats.stages.add('decode', decode);
      stats.stages.add('wait', wait);
      stats.stages.add('lag', transit - clockMs + decode + wait);
    }
    if (report.shown !== null) {
      const { utcMs, roomMs, atMs } = report.shown;
      stats.shownUtcMs = utcMs;
      stats.shownMs = roomMs;
      // What has stood for long grows older while it does.
      stats.lagMs = (Date.now() - atMs > 2 * REPORTED_MS ? Date.now() : atMs) - clockMs - utcMs;
    }
    if (report.trouble !== '') this.#troubleAt = now;
    stats.trouble = report.trouble || (now - this.#troubleAt > TROUBLE_MS ? '' : stats.trouble);
    this.#keepSound(report);
    this.options.onStats?.(stats);
  }

  #keepSound(report: PictureReport): void {
    const sound = this.#sound;
    if (sound === null) return;
    const { heard, latencyMs } = sound;
    decoderThread.say({ order: 'heard', id: this.#id, latencyMs, offsetMs: heard === null ? null : heard.atMs - heard.roomMs });
    if (report.soundOffsetMs !== null) sound.keep(report.soundOffsetMs);
    this.stats.soundHeld = sound.held;
    const { shown } = report;
    this.stats.soundLateMs =
      heard === null || shown === null ? null : shown.roomMs + (heard.atMs - this.#sameClock(shown.atMs)) - heard.roomMs;
  }

  /** A moment of `Date.now()` on the clock `performance.timeOrigin + performance.now()`. */
  #sameClock(atMs: number): number {
    return atMs - Date.now() + performance.timeOrigin + performance.now();
  }
}

/** How often the worker reports. */
const REPORTED_MS = 250;
