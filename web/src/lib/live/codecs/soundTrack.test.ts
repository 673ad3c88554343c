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
