/** All live players of a page, in its worker: what the page orders is done, and a few times a second it is told how it goes.
 *
 * Pictures are painted at the repaint at which they are due on the room's clock; a page that nobody looks at has none
 * painted or decoded. Picture and sound of a player are shown within `LIPS_MS` of each other: whichever of the
 * two comes sooner waits for the other.
 */

import { PictureScreen } from './pictureScreen';
import { PictureTrack } from './pictureTrack';
import { PlayoutClock } from './playoutClock';
import { SoundTrack } from './soundTrack';
import type { PictureReport, PictureStages, SoundPiece, ToWorker } from './workerMessages';

export const LIPS_MS = 20;
/** Less than the ring bends its speed by. */
const SOUND_FALLS_MS_PER_S = 5;
/** From decoded to written: the way into the sound's own thread. */
const SOUND_WAY_MS = 20;
/** A picture that is due before the middle of the time that a repaint is shown is due with it. */
const HALF_REPAINT_MS = 8;
const REPORT_MS = 250;
/** A picture that stands for so long has stopped, unless the camera sends fewer. */
const STALL_MS = 300;
const STALL_PICTURES = 4;

/** What a worker has of a window. */
export interface WorkerThings {
  postMessage(report: PictureReport): void;
  requestAnimationFrame(call: () => void): void;
  setInterval(call: () => void, ms: number): unknown;
  now(): number;
}

export class LiveDecoding {
  #players = new Map<number, DecodedPlayer>();
  #seen = true;
  #repaints = false;

  constructor(private readonly things: WorkerThings) {
    things.setInterval(() => this.#report(), REPORT_MS);
  }

  obey(order: ToWorker): void {
    if (order.order === 'look') {
      this.#seen = order.seen;
      for (const player of this.#players.values()) player.look(order.seen);
      return;
    }
    if (order.order === 'open') {
      const player = new DecodedPlayer(order.id, order.canvas, () => this.#repaint(), () => this.things.now());
      player.look(this.#seen);
      this.#players.set(order.id, player);
      return;
    }
    const player = this.#players.get(order.id);
    if (player === undefined) return;
    if (order.order === 'picture') player.takePicture(order.message);
    else if (order.order === 'sound') player.takeSound(order.message);
    else if (order.order === 'hear') player.hear(order.port);
    else if (order.order === 'heard') player.heard(order.latencyMs, order.offsetMs);
    else if (order.order === 'hush') player.hush();
    else {
      player.close();
      this.#players.delete(order.id);
    }
  }

  #repaint(): void {
    if (this.#repaints || !this.#seen) return;
    this.#repaints = true;
    this.things.requestAnimationFrame(() => {
      this.#repaints = false;
      let waits = false;
      for (const player of this.#players.values()) {
        const first = player.paint();
        if (first) this.things.postMessage(player.report());
        waits ||= player.waits;
      }
      if (waits) this.#repaint();
    });
  }

  #report(): void {
    for (const player of this.#players.values()) {
      player.check();
      if (this.#seen || player.tookMore) this.things.postMessage(player.report());
    }
  }
}

class DecodedPlayer {
  #latencyMs = 0;
  #heardOffsetMs: number | null = null;
  #picture: PictureTrack;
  #screen: PictureScreen;
  #clock = new PlayoutClock();
  #sound: SoundTrack | null = null;
  #soundClock = new PlayoutClock(SOUND_FALLS_MS_PER_S);
  #port: MessagePort | null = null;
  #taken = 0;
  #told = 0;
  #painted = 0;
  #stalls = 0;
  #trouble: PictureReport['trouble'] = '';
  #shown: PictureReport['shown'] = null;
  #paintedMs: number | null = null;
  #usualMs = 40;
  #stages: PictureStages[] = [];

  constructor(
    private readonly id: number,
    canvas: OffscreenCanvas,
    onPending: () => void,
    private readonly now: () => number,
  ) {
    this.#screen = new PictureScreen(canvas);
    this.#picture = new PictureTrack(
      (picture) => {
        if (picture.live) this.#clock.ready(picture.roomMs, now(), picture.burst);
        this.#screen.push(picture);
        onPending();
      },
      () => (this.#trouble = 'failed'),
      now,
    );
  }

  get waits(): boolean {
    return this.#screen.waits;
  }

  /** More was taken than the page was told. */
  get tookMore(): boolean {
    return this.#taken !== this.#told;
  }

  takePicture(message: Parameters<PictureTrack['take']>[0]): void {
    this.#taken += 1;
    this.#picture.take(message);
  }

  takeSound(message: Parameters<SoundTrack['take']>[0]): void {
    this.#taken += 1;
    this.#sound?.take(message);
  }

  hear(port: MessagePort): void {
    this.hush();
    this.#port = port;
    this.#soundClock = new PlayoutClock(SOUND_FALLS_MS_PER_S);
    this.#sound = new SoundTrack((piece, burst) => this.#give(piece, burst), this.now);
  }

  /** How sound is heard now: `latencyMs` after it was written, and at `offsetMs` after its moment. */
  heard(latencyMs: number, offsetMs: number | null): void {
    this.#latencyMs = latencyMs;
    this.#heardOffsetMs = offsetMs;
  }

  hush(): void {
    this.#heardOffsetMs = null;
    this.#sound?.close();
    this.#port?.close();
    this.#sound = null;
    this.#port = null;
  }

  look(seen: boolean): void {
    this.#picture.look(seen);
    if (!seen) this.#screen.clear();
    this.#paintedMs = null;
  }

  check(): void {
    this.#picture.check();
  }

  close(): void {
    this.hush();
    this.#picture.close();
    this.#screen.clear();
  }

  /** True when this was the first picture. */
  paint(): boolean {
    const nowMs = this.now();
    const offsetMs = this.#pictureOffsetMs();
    const picture = this.#screen.paint(offsetMs === null ? null : nowMs + HALF_REPAINT_MS - offsetMs);
    if (picture === null) return false;
    const atMs = Date.now();
    if (this.#paintedMs !== null) {
      const stoodMs = nowMs - this.#paintedMs;
      if (stoodMs > Math.max(STALL_MS, STALL_PICTURES * this.#usualMs)) this.#stalls += 1;
      else this.#usualMs += (stoodMs - this.#usualMs) / 16;
    }
    this.#paintedMs = nowMs;
    this.#painted += 1;
    this.#shown = { roomMs: picture.roomMs, utcMs: picture.utcMs, atMs };
    this.#stages.push([picture.arrivedMs - picture.utcMs, picture.decodedMs - picture.arrivedMs, atMs - picture.decodedMs]);
    if (this.#stages.length > 100) this.#stages.shift();
    return this.#painted === 1;
  }

  report(): PictureReport {
    const { trouble, stages } = { trouble: this.#trouble, stages: this.#stages };
    this.#trouble = '';
    this.#stages = [];
    this.#told = this.#taken;
    return {
      id: this.id,
      taken: this.#taken,
      decoded: this.#picture.decoded,
      painted: this.#painted,
      shown: this.#shown,
      stalls: this.#stalls,
      trouble,
      reserveMs: this.#clock.reserveMs,
      stages,
      soundOffsetMs: this.#soundOffsetMs(),
    };
  }

  #give(piece: SoundPiece, burst: boolean): void {
    this.#soundClock.ready(piece.roomMs, this.now(), burst);
    this.#port?.postMessage(piece, piece.channels.map((channel) => channel.buffer));
  }

  /** Sound must be written before it is heard. */
  #soundReadyMs(): number | null {
    const { offsetMs } = this.#soundClock;
    return this.#sound === null || offsetMs === null ? null : offsetMs + this.#latencyMs + SOUND_WAY_MS;
  }

  /** Sound that is on its way to its time is what the picture is beside. */
  #pictureOffsetMs(): number | null {
    const { offsetMs } = this.#clock;
    const soundMs = this.#heardOffsetMs ?? this.#soundReadyMs();
    return offsetMs === null || soundMs === null ? offsetMs : Math.max(offsetMs, soundMs - LIPS_MS);
  }

  #soundOffsetMs(): number | null {
    const soundMs = this.#soundReadyMs();
    const { offsetMs } = this.#clock;
    return soundMs === null || offsetMs === null ? soundMs : Math.max(soundMs, offsetMs - LIPS_MS);
  }
}
