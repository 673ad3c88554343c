import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeCanvas, FakeChunk, FakeFrame, FakeVideoDecoder, fragment, initMessage, pictureMessage, soundInit } from './fakeMedia';
import { LIPS_MS, LiveDecoding } from './liveDecoding';
import { MOST_PENDING } from './pictureScreen';
import type { PictureReport, SoundPiece, TakenMessage } from './workerMessages';

let now: number;
let repaints: (() => void)[];
let tick: () => void;
let reports: PictureReport[];
let decoding: LiveDecoding;
let canvas: FakeCanvas;

const last = (): PictureReport => reports.at(-1) as PictureReport;
function repaint(): void {
  for (const one of repaints.splice(0)) one();
}
function picture(n: number, more: Partial<TakenMessage> = {}): void {
  decoding.obey({ order: 'picture', id: 1, message: pictureMessage(n, more) });
  const decoder = FakeVideoDecoder.made.at(-1);
  if (decoder?.state === 'configured') decoder.run();
}

/** Sound: one AudioData for each sample, 40 ms of it. */
class FakeAudioDecoder {
  state: CodecState = 'unconfigured';
  decodeQueueSize = 0;
  constructor(readonly calls: AudioDecoderInit) {}
  configure(): void {
    this.state = 'configured';
  }
  decode(chunk: { timestamp: number }): void {
    const rest = { numberOfChannels: 2, numberOfFrames: 1920, sampleRate: 48_000, copyTo: () => undefined, close: () => undefined };
    this.calls.output({ timestamp: chunk.timestamp, ...rest } as unknown as AudioData);
  }
  close(): void {
    this.state = 'closed';
  }
}

beforeEach(() => {
  FakeVideoDecoder.made = [];
  FakeFrame.open = 0;
  [now, repaints, reports] = [100_000, [], []];
  vi.stubGlobal('EncodedVideoChunk', FakeChunk);
  vi.stubGlobal('EncodedAudioChunk', FakeChunk);
  vi.stubGlobal('VideoDecoder', FakeVideoDecoder);
  vi.stubGlobal('AudioDecoder', FakeAudioDecoder);
  decoding = new LiveDecoding({
    postMessage: (report) => reports.push(report),
    requestAnimationFrame: (call) => repaints.push(call),
    setInterval: (call) => (tick = call),
    now: () => now,
  });
  canvas = new FakeCanvas();
  decoding.obey({ order: 'open', id: 1, canvas: canvas as unknown as OffscreenCanvas });
  decoding.obey({ order: 'picture', id: 1, message: initMessage() });
});
afterEach(() => {
  decoding.obey({ order: 'close', id: 1 });
  expect(FakeFrame.open, 'each frame is given back').toBe(0);
  vi.unstubAllGlobals();
});

/** Pictures at the pace of the clock, each with its repaint, `delay(n)` after its moment. */
function watch(from: number, to: number, delay: (n: number) => number = () => 30): void {
  for (let n = from; n < to; n += 1) {
    now = 100_000 + n * 40 + delay(n);
    picture(n);
    repaint();
  }
}

it('shows the first picture at once and says so at once', () => {
  picture(0);
  repaint();
  expect([canvas.drawn, reports.length, last().painted, last().shown?.roomMs]).toEqual([[0], 1, 1, 0]);
});

it('keeps pictures back by what arrivals vary by, and shows what is later still', () => {
  watch(0, 200, (n) => (n % 4 === 0 ? 70 : 30));
  tick();
  expect(last().reserveMs).toBe(40);
  now = 100_000 + 200 * 40 + 30;
  picture(200);
  repaint();
  expect(canvas.drawn.at(-1), 'it waits').not.toBe(8000);
  now += 40;
  repaint();
  expect(canvas.drawn.at(-1)).toBe(8000);
  expect(last().stalls).toBe(0);
});

it('counts a picture that stood, and goes on with the newest', () => {
  watch(0, 50);
  now += 3000;
  for (let n = 50; n < 125; n += 1) picture(n);
  repaint();
  tick();
  expect([last().stalls, canvas.drawn.at(-1)]).toEqual([1, 124 * 40]);
});

it('costs nothing while nobody looks, and shows the live edge in one repaint after', () => {
  watch(0, 30);
  tick();
  decoding.obey({ order: 'look', seen: false });
  const decoded = last().decoded;
  watch(30, 90);
  tick();
  expect([last().decoded, repaints.length, last().taken]).toEqual([decoded, 0, 91]);
  const told = reports.length;
  tick();
  expect(reports.length, 'nothing new is nothing to tell').toBe(told);
  decoding.obey({ order: 'look', seen: true });
  FakeVideoDecoder.made.at(-1)?.run();
  repaint();
  tick();
  expect([canvas.drawn.at(-1), last().stalls]).toEqual([89 * 40, 0]);
});

it('holds few pictures for a whole wall that is not painted', () => {
  for (let id = 2; id <= 16; id += 1) {
    decoding.obey({ order: 'open', id, canvas: new FakeCanvas() as unknown as OffscreenCanvas });
    decoding.obey({ order: 'picture', id, message: initMessage() });
  }
  for (let n = 0; n < 100; n += 1) {
    now += 40;
    for (let id = 1; id <= 16; id += 1) decoding.obey({ order: 'picture', id, message: pictureMessage(n) });
    for (const decoder of FakeVideoDecoder.made) decoder.run();
  }
  expect([FakeVideoDecoder.made.length, FakeFrame.open, repaints.length]).toEqual([16, 16 * MOST_PENDING, 1]);
  for (let id = 2; id <= 16; id += 1) decoding.obey({ order: 'close', id });
});

it('has sound and picture of a moment within what nobody sees', async () => {
  const { port1, port2 } = new MessageChannel();
  const heard: SoundPiece[] = [];
  port1.onmessage = ({ data }: MessageEvent<SoundPiece>) => heard.push(data);
  decoding.obey({ order: 'hear', id: 1, port: port2 });
  decoding.obey({ order: 'heard', id: 1, latencyMs: 50, offsetMs: null });
  const init = initMessage(1, soundInit(), 'audio/mp4; codecs="mp4a.40.2"');
  decoding.obey({ order: 'sound', id: 1, message: init });
  for (let n = 0; n < 100; n += 1) {
    now = 100_000 + n * 40 + 30;
    picture(n);
    repaint();
    // Its ticks are of 48 kHz here: each fragment is of this picture's time, and comes 100 ms after it.
    const message = pictureMessage(n, { payload: fragment(Math.max(0, n - 2) * 1920, [{ key: true }]) });
    decoding.obey({ order: 'sound', id: 1, message });
  }
  tick();
  const soundMs = last().soundOffsetMs ?? 0;
  expect(soundMs).toBe(100_000 + 110 + 50 + 20);
  const shownMs = last().shown?.roomMs ?? 0;
  const due = now - soundMs;
  expect(shownMs - due).toBeGreaterThanOrEqual(LIPS_MS - 40);
  expect(shownMs - due).toBeLessThanOrEqual(LIPS_MS + 8);

  // What is heard is still on its way to that: the picture stays beside it.
  decoding.obey({ order: 'heard', id: 1, latencyMs: 50, offsetMs: soundMs + 40 });
  watch(100, 110);
  tick();
  expect(now - (last().shown?.roomMs ?? 0)).toBeGreaterThanOrEqual(soundMs + 40 - LIPS_MS - 8);
  await vi.waitFor(() => expect(heard.length).toBe(100));
  expect(heard[5]).toMatchObject({ roomMs: 120, rateHz: 48_000 });
  port1.close();
});
