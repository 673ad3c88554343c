import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AVC_CONFIG, FakeChunk, FakeFrame, FakeVideoDecoder, fragment, initMessage, pictureInit, pictureMessage } from './fakeMedia';
import { type DecodedPicture, PictureTrack } from './pictureTrack';

let now: number;
let broken: number;
let got: DecodedPicture[];
let track: PictureTrack;
const decoder = (): FakeVideoDecoder => FakeVideoDecoder.made.at(-1) as FakeVideoDecoder;
const times = (): number[] => got.map((one) => one.roomMs);

/** Pictures `from` up to `to`, one each 40 ms or all at once. */
function comes(from: number, to: number, everyMs = 40): void {
  for (let n = from; n < to; n += 1) {
    now += everyMs;
    track.take(pictureMessage(n));
    if (decoder()?.state === 'configured') decoder().run();
  }
}

beforeEach(() => {
  vi.stubGlobal('EncodedVideoChunk', FakeChunk);
  FakeVideoDecoder.made = [];
  FakeFrame.open = 0;
  [now, broken, got] = [10_000, 0, []];
  track = new PictureTrack(
    (picture) => {
      got.push(picture);
      picture.frame.close();
    },
    () => (broken += 1),
    () => now,
    (calls) => new FakeVideoDecoder(calls) as unknown as VideoDecoder,
  );
  track.take(initMessage());
});
afterEach(() => {
  expect(FakeFrame.open, 'each frame is given back').toBe(0);
  vi.unstubAllGlobals();
});

it('decodes from a key frame on, for the least delay, and knows when each was taken', () => {
  comes(20, 30);
  expect(times()).toEqual([1000, 1040, 1080, 1120, 1160]);
  expect(got[0]).toMatchObject({ utcMs: 1_001_000, arrivedMs: 1_001_005 });
  expect(decoder().config).toMatchObject({ codec: 'avc1.42c01e', optimizeForLatency: true });
});

it('knows what came at its own time from what is sent to whoever begins', () => {
  comes(0, 25, 2);
  comes(25, 30);
  expect(got.map((one) => one.live)).toEqual([...Array.from({ length: 26 }, () => false), true, true, true, true]);
});

it('takes fragments of several samples too', () => {
  const samples = [{ key: true }, { key: false }, { key: false }, { key: false }];
  track.take(pictureMessage(0, { payload: fragment(0, samples), durationMs: 160 }));
  decoder().run();
  expect(times()).toEqual([0, 40, 80, 120]);
});

it('waits after a loss for the next key frame', () => {
  comes(0, 5);
  comes(6, 27);
  expect(times()).toEqual([0, 40, 80, 120, 160, 1000, 1040]);
  expect(FakeVideoDecoder.made).toHaveLength(1);
});

it('decodes nothing in a page that nobody looks at, and has the live edge when somebody does', () => {
  comes(0, 3);
  track.look(false);
  expect(decoder().state).toBe('closed');
  comes(3, 40);
  expect([FakeVideoDecoder.made.length, times()]).toEqual([1, [0, 40, 80]]);
  track.look(true);
  decoder().run();
  expect(times().slice(3)).toEqual(Array.from({ length: 15 }, (_, i) => 1000 + i * 40));
});

it('shows nothing of long ago to who looks again', () => {
  comes(0, 3);
  track.look(false);
  now += 60_000;
  track.look(true);
  expect(FakeVideoDecoder.made).toHaveLength(1);
  comes(1000, 1002);
  expect(times().slice(3)).toEqual([40_000, 40_040]);
});

it('keeps no more than it may of a camera whose key frames are far apart', () => {
  track.look(false);
  for (let n = 0; n <= 3001; n += 1) track.take(pictureMessage(n, { keyFrame: n === 0 }));
  track.look(true);
  expect(FakeVideoDecoder.made).toHaveLength(0);
  track.take(pictureMessage(3025, { sequence: 3002 }));
  decoder().run();
  expect(times()).toEqual([3025 * 40]);
});

it('makes a decoder that fails anew with a key frame, ever more seldom, and then without the graphics processor', () => {
  const begun: number[] = [];
  comes(0, 1);
  for (let round = 0; round < 4; round += 1) {
    decoder().calls.error(new DOMException('dead', 'EncodingError'));
    const failedMs = now;
    for (let second = 1; decoder().state === 'closed'; second += 1) {
      now += 250;
      track.take(pictureMessage(25 * (round * 100 + second)));
    }
    begun.push(now - failedMs);
  }
  expect(begun).toEqual([500, 1000, 2000, 4000]);
  expect(broken).toBe(4);
  expect(FakeVideoDecoder.made.map((one) => one.config?.hardwareAcceleration)).toEqual([
    'no-preference',
    'no-preference',
    'prefer-software',
    'prefer-software',
    'prefer-software',
  ]);
});

it('takes what is no media for a failure', () => {
  comes(0, 2);
  track.take(pictureMessage(2, { payload: new Uint8Array([1, 2, 3]) }));
  expect([broken, decoder().state]).toEqual([1, 'closed']);
});

it('finds a decoder dead that gives nothing, and none that is given nothing', () => {
  comes(0, 2);
  for (let n = 0; n < 100; n += 1) {
    now += 100;
    track.check();
  }
  expect(broken).toBe(0);
  for (let n = 25; n < 175 && broken === 0; n += 1) {
    now += 40;
    track.take(pictureMessage(n, { sequence: n - 23 }));
    track.check();
  }
  expect(broken).toBe(1);
});

it('feeds the decoder no more than it takes, and passes over what a slow one is late with', () => {
  for (let n = 0; n < 60; n += 1) track.take(pictureMessage(n));
  expect(decoder().chunks.length).toBe(16);
  decoder().run();
  expect(times().slice(-1)).toEqual([59 * 40]);
  expect(times()).not.toContain(45 * 40);
});

it('goes on with a new description from its key frame on', () => {
  comes(0, 3);
  track.take(initMessage(2));
  track.take(pictureMessage(3));
  expect(times()).toHaveLength(3);
  track.take(pictureMessage(25, { initId: 2 }));
  decoder().run();
  expect([times().at(-1), FakeVideoDecoder.made.length]).toEqual([1000, 2]);
});

it('goes on with another description of the same run, from the last key frame on', () => {
  comes(25, 30);
  const described = initMessage(1, pictureInit([...AVC_CONFIG, 7]));
  track.take(initMessage());
  expect(FakeVideoDecoder.made, 'the same again').toHaveLength(1);
  track.take(described);
  decoder().run();
  comes(30, 32);
  expect([FakeVideoDecoder.made.map((one) => one.state), broken]).toEqual([['closed', 'configured'], 0]);
  expect(new Uint8Array(decoder().config?.description as ArrayBuffer).at(-1)).toBe(7);
  expect(times().slice(5)).toEqual([1000, 1040, 1080, 1120, 1160, 1200, 1240]);
});

it('shows what a decoder still holds when pictures of another size follow it', async () => {
  comes(0, 25);
  for (let n = 25; n < 28; n += 1) track.take(pictureMessage(n));
  const first = decoder();
  track.take(initMessage(2));
  for (let n = 28; n < 30; n += 1) track.take(pictureMessage(n, { initId: 2, keyFrame: n === 28 }));
  decoder().run();
  expect(times().slice(24)).toEqual([960, 1000, 1040, 1080, 1120, 1160]);
  expect(FakeVideoDecoder.made).toHaveLength(2);
  await vi.waitFor(() => expect(first.state).toBe('closed'));
  expect(got.at(-1)?.live, 'it is the same stream').toBe(true);
});

it('lets go of what a decoder still holds when nobody looks any more', () => {
  comes(0, 2);
  track.take(pictureMessage(2));
  decoder().flush = () => new Promise(() => undefined);
  track.take(initMessage(2));
  track.look(false);
  expect(FakeVideoDecoder.made.map((one) => one.state)).toEqual(['closed']);
});
