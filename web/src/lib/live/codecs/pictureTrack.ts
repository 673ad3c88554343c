/** One live track of pictures on its way through a VideoDecoder: messages in, decoded pictures out, as soon as they are.
 *
 * Nothing is decoded while nobody looks. What was sent since the last key frame is kept, coded, so that whoever looks again
 * has the live edge at once. Bounded: `MOST_KEPT_BYTES` are kept, `MOST_FED` samples are inside of the decoder, and what
 * waits before it gives way to the next key frame. A message that is no media, and a decoder that fails or falls silent,
 * end the decoder; a new one begins with a key frame, ever more seldom while that does not help, and not on the
 * graphics processor when it failed twice. A run that is told of anew, under the same number, has a new decoder begin
 * with all since the last key frame: the pictures go on, and only what was said of them is another.
 */

import { KIND, parseInit, sameBytes } from '../../envelope';
import { LivePace } from '../livePace';
import { Reopening } from '../reopening';
import { SequenceGate } from '../sequenceGate';
import { type CodedSample, type CodedTrack, readSamples, readTrack } from './codedSamples';
import type { TakenMessage } from './workerMessages';

export interface DecodedPicture {
  frame: VideoFrame;
  roomMs: number;
  utcMs: number;
  /** When the page had it, `Date.now()`. */
  arrivedMs: number;
  /** It came at its own time, not as a part of what is sent to whoever begins. */
  live: boolean;
  /** It came right behind the one before it. */
  burst: boolean;
}

/** Sixteen seconds at 4 Mbit/s. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024;
const MOST_KEPT = 3000;
/** Samples inside of the decoder. */
const MOST_FED = 16;
/** Of samples that wait before a key frame so many may still be decoded; more are passed over. */
const MOST_LATE = 12;
/** What was kept is the live edge only if something came within this time. */
const FRESH_MS = 1000;
/** The decoder has something to do and gives nothing for so long: it is dead. */
const SILENT_MS = 5000;

type Way = Omit<DecodedPicture, 'frame' | 'roomMs'>;

export class PictureTrack {
  decoded = 0;
  #track: CodedTrack | null = null;
  #initId = -1;
  #init: TakenMessage['payload'] | null = null;
  #gate = new SequenceGate();
  /** All since the last key frame; null: that was too much, or something of it is missing. */
  #kept: TakenMessage[] | null = null;
  #keptBytes = 0;
  #waiting: { sample: CodedSample; way: Way }[] = [];
  #ways = new Map<number, Way>();
  #decoder: VideoDecoder | null = null;
  /** What decoded the pictures before another init, while it still holds some of them. */
  #leaving: VideoDecoder | null = null;
  #reopening = new Reopening();
  #seen = true;
  #pace = new LivePace();
  #idleSinceMs = 0;

  constructor(
    private readonly onPicture: (picture: DecodedPicture) => void,
    /** What decoded it has failed; another one will. */
    private readonly onBroken: () => void,
    private readonly now: () => number,
    private readonly makeDecoder: (calls: VideoDecoderInit) => VideoDecoder = (calls) => new VideoDecoder(calls),
  ) {}

  take(message: TakenMessage): void {
    if (message.kind === KIND.init) this.#takeInit(message);
    else if (message.kind === KIND.fragment && message.initId === this.#initId) this.#takeFragment(message);
  }

  /** Somebody begins or ceases to look. */
  look(seen: boolean): void {
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#endDecoder();
    if (!seen) return;
    if (this.now() - this.#pace.cameMs > FRESH_MS) this.#forget();
    this.#decodeKept();
  }

  /** Look whether the decoder lives; to be called now and then. */
  check(): void {
    const nowMs = this.now();
    const fed = this.#ways.size > 0 || this.#waiting.length > 0;
    const busy = this.#decoder !== null && fed && nowMs - this.#pace.cameMs < FRESH_MS;
    if (!busy) this.#idleSinceMs = nowMs;
    else if (nowMs - this.#idleSinceMs > SILENT_MS) this.#broke();
  }

  close(): void {
    this.#seen = false;
    this.#endDecoder();
    this.#forget();
  }

  #takeInit(message: TakenMessage): void {
    const again = message.initId === this.#initId;
    if (again && sameBytes(message.payload, this.#init)) return;
    const init = parseInit(message.payload);
    this.#initId = message.initId;
    this.#init = message.payload;
    if (again) this.#endDecoder();
    else {
      this.#forget();
      this.#gate.lose();
      this.#leave();
    }
    try {
      this.#track = init === null ? null : readTrack(init.mime, init.segment);
    } catch {
      this.#track = null;
      this.#broke();
    }
    if (again && this.#seen) this.#decodeKept();
  }

  /** Begin anew in the middle of the pictures that follow a key frame. */
  #decodeKept(): void {
    const kept = this.#kept;
    if (kept === null) this.#gate.lose();
    else for (const message of kept) this.#decode(message, false, true);
  }

  #takeFragment(message: TakenMessage): void {
    this.#pace.comes(message.durationMs, this.now());
    if (!this.#gate.passes(message.sequence, message.keyFrame)) {
      this.#pace.begin();
      return;
    }
    if (message.keyFrame) {
      this.#forget();
      this.#kept = [];
    }
    this.#keep(message);
    if (this.#seen) this.#decode(message, this.#pace.live, this.#pace.burst);
  }

  #keep(message: TakenMessage): void {
    if (this.#kept === null) return;
    this.#kept.push(message);
    this.#keptBytes += message.payload.byteLength;
    if (this.#keptBytes <= MOST_KEPT_BYTES && this.#kept.length <= MOST_KEPT) return;
    this.#forget(); // who looks goes on; who looks again waits for the next key frame
    if (!this.#seen) this.#gate.lose();
  }

  #forget(): void {
    this.#kept = null;
    this.#keptBytes = 0;
  }

  #decode(message: TakenMessage, live: boolean, burst: boolean): void {
    const track = this.#track;
    if (track === null) return;
    let samples: CodedSample[];
    try {
      samples = readSamples(message.payload, track);
    } catch {
      this.#broke();
      return;
    }
    if (this.#decoder === null && !this.#begin(track)) {
      this.#gate.lose();
      return;
    }
    const way = { utcMs: message.utcMs - message.roomMs, arrivedMs: message.arrivedMs, live, burst };
    for (const sample of samples) {
      if (sample.key && this.#waiting.length > MOST_LATE) this.#waiting = [];
      this.#waiting.push({ sample, way });
    }
    if (this.#waiting.length > MOST_KEPT) {
      this.#waiting = [];
      this.#gate.lose();
    }
    this.#feed();
  }

  #begin(track: CodedTrack): boolean {
    if (!this.#reopening.due(this.now())) return false;
    try {
      const decoder = this.makeDecoder({
        output: (frame) => this.#output(decoder, frame),
        error: () => this.#decoder === decoder && this.#broke(),
      });
      this.#decoder = decoder;
      decoder.ondequeue = () => this.#decoder === decoder && this.#feed();
      decoder.configure({
        codec: track.codec,
        description: track.description,
        optimizeForLatency: true,
        hardwareAcceleration: this.#reopening.tries >= 2 ? 'prefer-software' : 'no-preference',
      });
    } catch {
      this.#broke();
      return false;
    }
    this.#idleSinceMs = this.now();
    return true;
  }

  #feed(): void {
    const decoder = this.#decoder;
    if (decoder === null) return;
    try {
      while (this.#waiting.length > 0 && decoder.decodeQueueSize < MOST_FED) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        this.#give(decoder, next.sample, next.way);
      }
    } catch {
      this.#broke();
    }
  }

  #give(decoder: VideoDecoder, sample: CodedSample, way: Way): void {
    this.#ways.set(sample.atUs, way);
    const { atUs: timestamp, durationUs: duration, bytes: data } = sample;
    decoder.decode(new EncodedVideoChunk({ type: sample.key ? 'key' : 'delta', timestamp, duration, data }));
  }

  #output(decoder: VideoDecoder, frame: VideoFrame): void {
    const way = this.#ways.get(frame.timestamp);
    if ((decoder !== this.#decoder && decoder !== this.#leaving) || way === undefined) {
      frame.close();
      return;
    }
    // What was to be shown before it and did not come does not come any more.
    for (const atUs of this.#ways.keys()) if (atUs <= frame.timestamp) this.#ways.delete(atUs);
    const nowMs = this.now();
    this.decoded += 1;
    this.#idleSinceMs = nowMs;
    this.#reopening.plays(nowMs);
    const roomMs = frame.timestamp / 1000;
    this.onPicture({ frame, ...way, roomMs, utcMs: roomMs + way.utcMs });
  }

  #broke(): void {
    this.#reopening.broke(this.now());
    this.#endDecoder();
    this.#forget();
    this.#gate.lose();
    this.onBroken();
  }

  /** Another decoder takes what comes. All that came before is still shown. */
  #leave(): void {
    const decoder = this.#decoder;
    if (decoder?.state !== 'configured') {
      this.#endDecoder();
      return;
    }
    end(this.#leaving);
    try {
      for (const { sample, way } of this.#waiting.splice(0)) this.#give(decoder, sample, way);
    } catch {
      this.#endDecoder();
      return;
    }
    this.#decoder = null;
    this.#leaving = decoder;
    const gone = (): void => {
      if (this.#leaving === decoder) this.#leaving = null;
      end(decoder);
    };
    decoder.flush().then(gone, gone);
  }

  #endDecoder(): void {
    end(this.#leaving);
    end(this.#decoder);
    this.#decoder = this.#leaving = null;
    this.#waiting = [];
    this.#ways.clear();
    this.#pace.begin();
  }
}

function end(decoder: VideoDecoder | null): void {
  if (decoder !== null && decoder.state !== 'closed') decoder.close();
}
