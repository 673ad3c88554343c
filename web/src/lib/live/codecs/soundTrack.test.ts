import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AAC_CONFIG, FakeChunk, fragment, initMessage, pictureMessage, soundInit } from './fakeMedia';
import { SoundTrack } from './soundTrack';
import type { TakenMessage } from './workerMessages';

const MIME = 'audio/mp4; codecs="mp4a.40.2"';
/** Samples of one AAC frame here. Fragments count 48,000 ticks a second, 512 of them a frame. */
const FRAME = 512;
const FRAME_MS = FRAME / 48;

/** Holds what it is given until the test lets it go. */
class FakeAudioDecoder {
  static made: FakeAudioDecoder[] = [];
  state: CodecState = 'unconfigured';
  decodeQueueSize = 0;
  config: AudioDecoderConfig | null = null;
  fed: number[] = [];
  constructor(readonly calls: AudioDecoderInit) {
    FakeAudioDecoder.made.push(this);
  }
  configure(config: AudioDecoderConfig): void {
    this.state = 'configured';
    this.config = config;
  }
  decode(chunk: { timestamp: number }): void {
    this.fed.push(chunk.timestamp);
  }
  gives(timestamp: number): void {
    const rest = { numberOfChannels: 1, numberOfFrames: FRAME, sampleRate: 48_000, copyTo: () => undefined, close: () => undefined };
    this.calls.output({ timestamp, ...rest } as unknown as AudioData);
  }
  close(): void {
    this.state = 'closed';
  }
}

let got: number[];
let track: SoundTrack;
const decoder = (): FakeAudioDecoder => FakeAudioDecoder.made.at(-1) as FakeAudioDecoder;
const init = (initId = 1, segment = soundInit()): TakenMessage => initMessage(initId, segment, MIME);

/** One AAC frame after the other, `count` of them, from a moment of the room on. */
function comes(fromMs: number, count: number, everyMs = FRAME_MS): void {
  for (let n = 0; n < count; n += 1) {
    const payload = fragment(Math.round((fromMs + n * everyMs) * 48), [{ key: true, lasts: FRAME }]);
    track.take(pictureMessage(n, { payload }));
  }
}

beforeEach(() => {
  vi.stubGlobal('EncodedAudioChunk', FakeChunk);
  FakeAudioDecoder.made = [];
  got = [];
  track = new SoundTrack(
    (piece) => got.push(Math.round(piece.roomMs)),
    () => 0,
    (calls) => new FakeAudioDecoder(calls) as unknown as AudioDecoder,
  );
  track.take(init());
});
afterEach(() => vi.unstubAllGlobals());

it('takes another description of the same run, and not the same again', () => {
  comes(1000, 1);
  track.take(init());
  comes(1100, 1);
  expect(FakeAudioDecoder.made).toHaveLength(1);
  const other = soundInit([AAC_CONFIG[0] as number, 0x88]);
  track.take(init(1, other));
  comes(1200, 1);
  expect(FakeAudioDecoder.made.map((one) => one.state)).toEqual(['closed', 'configured']);
  expect(new Uint8Array(decoder().config?.description as ArrayBuffer)).toEqual(new Uint8Array([0x11, 0x88]));
});

it('gives each piece its time although the decoder swallows the first frame', () => {
  comes(1000, 6);
  for (const timestamp of decoder().fed.slice(1)) decoder().gives(timestamp);
  comes(1000 + 6 * FRAME_MS, 2);
  for (const timestamp of decoder().fed.slice(6)) decoder().gives(timestamp);
  expect(got).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => Math.round(1000 + n * FRAME_MS)));
});

it('follows the room although the decoder counts samples from the first', () => {
  const everyMs = FRAME_MS * 1.01;
  comes(1000, 500, everyMs);
  const first = decoder().fed[0] ?? 0;
  for (let n = 0; n < 500; n += 1) decoder().gives(first + n * FRAME_MS * 1000);
  expect(got.length).toBe(500);
  expect(got.at(-1)).toBe(Math.round(1000 + 499 * everyMs));
});

it('goes on after a hole, and where the time of the room goes back, with the oldest that was fed', () => {
  const gives = (from: number, count: number): void => {
    for (let n = from; n < from + count; n += 1) decoder().gives((decoder().fed[0] ?? 0) + n * FRAME_MS * 1000);
  };
  comes(1000, 2);
  gives(0, 2);
  comes(4000, 3);
  gives(2, 3);
  comes(100, 3);
  gives(5, 3);
  expect(got).toEqual([1000, 4000, 100].flatMap((at, i) => Array.from({ length: i === 0 ? 2 : 3 }, (_, n) => Math.round(at + n * FRAME_MS))));
});
