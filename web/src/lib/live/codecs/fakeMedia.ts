/** For tests: live media written byte by byte, and decoders that give what they are given. */

import { type Envelope, KIND } from '../../envelope';
import type { TakenMessage } from './workerMessages';

type Bytes = Uint8Array<ArrayBuffer>;

const u32 = (value: number): Bytes => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0);
  return bytes;
};
function joined(parts: readonly (Bytes | number[])[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function fakeBox(name: string, ...parts: (Bytes | number[])[]): Bytes {
  const content = joined(parts);
  return joined([u32(8 + content.length), new TextEncoder().encode(name), content]);
}

const ticksA = 12_800;

function moov(entry: Bytes, timescale: number): Bytes {
  const stbl = fakeBox('stbl', fakeBox('stsd', u32(0), u32(1), entry));
  const mdhd = fakeBox('mdhd', u32(0), u32(0), u32(0), u32(timescale), u32(0));
  const trak = fakeBox('trak', fakeBox('mdia', mdhd, fakeBox('minf', stbl)));
  return fakeBox('moov', trak, fakeBox('mvex', fakeBox('trex', u32(0), u32(1), u32(1), u32(512), u32(0), u32(0x10000))));
}

export const AVC_CONFIG = [1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 0];
export const AAC_CONFIG = [0x11, 0x90];

export function pictureInit(config = AVC_CONFIG): Bytes {
  return joined([fakeBox('ftyp', u32(0)), moov(fakeBox('avc1', new Uint8Array(78), fakeBox('avcC', config)), ticksA)]);
}

export function soundInit(config = AAC_CONFIG): Bytes {
  const descriptors = [3, 0x80, 0x80, 0x80, 22, 0, 1, 0, 4, 15, 0x40, ...new Uint8Array(12), 5, 2, ...config];
  const head = joined([new Uint8Array(16), [0, 2, 0, 16, 0, 0, 0, 0], [0xbb, 0x80, 0, 0]]);
  return joined([fakeBox('ftyp', u32(0)), moov(fakeBox('mp4a', head, fakeBox('esds', u32(0), descriptors)), 48_000)]);
}

export interface FakeSample {
  key: boolean;
  /** Ticks after its decode time. */
  later?: number;
  /** Ticks that its fragment says it lasts; else it says nothing of it. */
  lasts?: number;
  bytes?: number[];
}

/** A fragment at `ticks` of 1/12800 s; each sample lasts 512 of them (40 ms), unless it says otherwise. */
export function fragment(ticks: number, samples: readonly FakeSample[], change: { offset?: number; tfhd?: number } = {}): Bytes {
  const data = joined(samples.map((one) => one.bytes ?? [1, 2, 3]));
  const build = (offset: number): Bytes => {
    const timed = samples.some((one) => one.lasts !== undefined);
    const lasts = (one: FakeSample): Bytes[] => (timed ? [u32(one.lasts ?? 512)] : []);
    const rows = samples.flatMap((one) => [...lasts(one), u32(one.bytes?.length ?? 3), u32(one.key ? 0x2000000 : 0x10000), u32(one.later ?? 0)]);
    const trun = fakeBox('trun', u32(timed ? 0x01000f01 : 0x01000e01), u32(samples.length), u32(offset), ...rows);
    const tfdt = fakeBox('tfdt', u32(0x01000000), u32(Math.floor(ticks / 2 ** 32)), u32(ticks));
    const tfhd = fakeBox('tfhd', u32(change.tfhd ?? 0x20000), u32(1), ...(change.tfhd === undefined ? [] : [u32(0), u32(0)]));
    return fakeBox('moof', fakeBox('mfhd', u32(0), u32(1)), fakeBox('traf', tfhd, tfdt, trun));
  };
  const size = build(0).length;
  return joined([fakeBox('prft', new Uint8Array(24)), build(change.offset ?? size + 8), fakeBox('mdat', data)]);
}

const MIME = 'video/mp4; codecs="avc1.42c01e"';

export function initMessage(initId = 1, segment = pictureInit(), mime = MIME): TakenMessage {
  const payload = joined([[0, mime.length], new TextEncoder().encode(mime), segment]);
  return { kind: KIND.init, keyFrame: false, initId, sequence: 0, roomMs: 0, utcMs: 0, durationMs: 0, payload, arrivedMs: 0 };
}

/** The `n`th picture of a track with 25 a second: one sample, a key frame each second. */
export function pictureMessage(n: number, more: Partial<TakenMessage> = {}): TakenMessage {
  const key = n % 25 === 0;
  const payload = fragment(n * 512, [{ key }]);
  const times = { roomMs: n * 40, utcMs: 1_000_000 + n * 40, durationMs: 40, arrivedMs: 1_000_000 + n * 40 + 5 };
  return { kind: KIND.fragment, keyFrame: key, initId: 1, sequence: n, payload, ...times, ...more };
}

export const asEnvelope = (message: TakenMessage, address = 'bench'): Envelope => ({ address, kept: false, ...message });

/** Gives one frame for each chunk, when the test lets it. */
export class FakeVideoDecoder {
  static made: FakeVideoDecoder[] = [];
  state: CodecState = 'unconfigured';
  decodeQueueSize = 0;
  ondequeue: (() => void) | null = null;
  config: VideoDecoderConfig | null = null;
  chunks: { type: string; timestamp: number }[] = [];
  constructor(readonly calls: VideoDecoderInit) {
    FakeVideoDecoder.made.push(this);
  }
  configure(config: VideoDecoderConfig): void {
    this.state = 'configured';
    this.config = config;
  }
  decode(chunk: { type: string; timestamp: number }): void {
    this.chunks.push(chunk);
    this.decodeQueueSize += 1;
  }
  /** Decode all that was fed, and what is fed then. */
  run(): void {
    for (let done = 0; done < this.chunks.length && this.state === 'configured'; done += 1) {
      const chunk = this.chunks[done];
      this.decodeQueueSize -= 1;
      this.calls.output(new FakeFrame(chunk?.timestamp ?? 0) as unknown as VideoFrame);
      this.ondequeue?.();
    }
    this.chunks = [];
  }
  /** Gives all that it holds. */
  flush(): Promise<void> {
    this.run();
    return Promise.resolve();
  }
  close(): void {
    this.state = 'closed';
  }
}

export class FakeFrame {
  static open = 0;
  displayWidth = 640;
  displayHeight = 360;
  constructor(readonly timestamp: number) {
    FakeFrame.open += 1;
  }
  close(): void {
    FakeFrame.open -= 1;
  }
}

export class FakeChunk {
  readonly type: string;
  readonly timestamp: number;
  constructor(init: { type: string; timestamp: number }) {
    this.type = init.type;
    this.timestamp = init.timestamp;
  }
}

/** A canvas that counts what was drawn. */
export class FakeCanvas {
  width = 300;
  height = 150;
  drawn: number[] = [];
  getContext = (): { drawImage: (frame: FakeFrame) => void } => ({ drawImage: (frame) => this.drawn.push(frame.timestamp / 1000) });
}
