/** A live track of sound on its way through an AudioDecoder: messages in, pieces of samples out.
 *
 * Like `PictureTrack`, but each fragment can be decoded by itself, and nothing is kept: sound that nobody hears is not
 * fetched at all.
 */

import { KIND, parseInit, sameBytes } from '../../envelope';
import { LivePace } from '../livePace';
import { Reopening } from '../reopening';
import { type CodedTrack, readSamples, readTrack } from './codedSamples';
import type { SoundPiece, TakenMessage } from './workerMessages';

const MOST_FED = 64;

export class SoundTrack {
  #track: CodedTrack | null = null;
  #initId = -1;
  #init: TakenMessage['payload'] | null = null;
  #decoder: AudioDecoder | null = null;
  #reopening = new Reopening();
  /** The times of what is inside of the decoder: it counts samples from the first, and the room's sound card is not as exact. */
  #fedUs: number[] = [];
  /** By how much the room's time was ahead of what the decoder counted, of what it gave last. */
  #aheadUs = 0;
  #pace = new LivePace();

  constructor(
    /** `burst`: it came right behind the one before it. */
    private readonly onPiece: (piece: SoundPiece, burst: boolean) => void,
    private readonly now: () => number,
    private readonly makeDecoder: (calls: AudioDecoderInit) => AudioDecoder = (calls) => new AudioDecoder(calls),
  ) {}

  take(message: TakenMessage): void {
    if (message.kind === KIND.init) this.#takeInit(message);
    else if (message.kind === KIND.fragment && message.initId === this.#initId) {
      this.#pace.comes(message.durationMs, this.now());
      this.#decode(message);
    }
  }

  close(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#fedUs = [];
    this.#aheadUs = 0;
    if (decoder !== null && decoder.state !== 'closed') decoder.close();
  }

  #takeInit(message: TakenMessage): void {
    if (message.initId === this.#initId && sameBytes(message.payload, this.#init)) return;
    const init = parseInit(message.payload);
    this.#initId = message.initId;
    this.#init = message.payload;
    this.close();
    try {
      this.#track = init === null ? null : readTrack(init.mime, init.segment);
    } catch {
      this.#track = null;
    }
  }

  #decode(message: TakenMessage): void {
    const track = this.#track;
    if (track === null) return;
    try {
      const samples = readSamples(message.payload, track);
      const decoder = this.#decoder ?? this.#begin(track);
      if (decoder === null || decoder.decodeQueueSize > MOST_FED) return;
      for (const { atUs: timestamp, durationUs: duration, bytes: data } of samples) {
        this.#fedUs.push(timestamp);
        decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp, duration, data }));
      }
    } catch {
      this.#broke();
    }
  }

  #begin(track: CodedTrack): AudioDecoder | null {
    if (!this.#reopening.due(this.now())) return null;
    const decoder = this.makeDecoder({
      output: (data) => this.#output(decoder, data),
      error: () => this.#decoder === decoder && this.#broke(),
    });
    this.#decoder = decoder;
    const { codec, description, channels: numberOfChannels, rateHz: sampleRate } = track;
    decoder.configure({ codec, description, numberOfChannels, sampleRate });
    return decoder;
  }

  #output(decoder: AudioDecoder, data: AudioData): void {
    if (decoder === this.#decoder) {
      const channels = Array.from({ length: Math.min(2, data.numberOfChannels) }, (_, planeIndex) => {
        const plane = new Float32Array(data.numberOfFrames);
        data.copyTo(plane, { planeIndex, format: 'f32-planar' });
        return plane;
      });
      this.#reopening.plays(this.now());
      const atUs = this.#timeOf(data);
      this.onPiece({ roomMs: atUs / 1000, rateHz: data.sampleRate, channels }, this.#pace.burst);
    }
    data.close();
  }

  /** The room time of what the decoder gave: of what was fed and lies where this should be, else of the oldest. A decoder
   * may give nothing for a frame, as for the one before the first; the next one is not of that frame's time. */
  #timeOf(data: AudioData): number {
    const expectedUs = data.timestamp + this.#aheadUs;
    const halfUs = (data.numberOfFrames / data.sampleRate) * 500_000;
    const own = this.#fedUs.findIndex((fedUs) => Math.abs(fedUs - expectedUs) < halfUs);
    const atUs = this.#fedUs.splice(0, Math.max(0, own) + 1).at(-1) ?? expectedUs;
    this.#aheadUs = atUs - data.timestamp;
    return atUs;
  }

  #broke(): void {
    this.#reopening.broke(this.now());
    this.close();
  }
}
