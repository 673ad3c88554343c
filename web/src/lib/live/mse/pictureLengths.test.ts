import { expect, it } from 'vitest';
import { type FakeSample, fakeBox, fragment, pictureInit } from '../codecs/fakeMedia';
import { type LastPicture, PictureLengths } from './pictureLengths';

/** Of 1/12800 s; 512 of them are 40 ms. */
const SECOND = 12_800;
const SAID = 512;
const said: FakeSample[] = [{ key: true, lasts: SAID }];

/** What the fragment says now that its last picture lasts, ticks. */
const lasts = (one: LastPicture): number => new DataView(one.bytes.buffer, one.bytes.byteOffset).getUint32(one.place);

function came(lengths: PictureLengths, ticks: number, samples = said, follows = true): LastPicture {
  const one = lengths.came(fragment(ticks, samples), follows);
  if (one === null) throw new Error('not understood');
  return one;
}

it('has the first picture last so long that the next one is no hole, whatever its rate', () => {
  const lengths = new PictureLengths(pictureInit());
  const first = came(lengths, 0);
  expect(lengths.write(first), 'so much is not there').toBeCloseTo(1 - 0.04);
  expect(lasts(first)).toBe(SECOND);
});

it('has a picture last up to the one that waits behind it, and the newest twice as long as the longest of late', () => {
  const lengths = new PictureLengths(pictureInit());
  const [first, second, third] = [0, 1280, 4 * 1280].map((ticks) => came(lengths, ticks)) as [LastPicture, LastPicture, LastPicture];
  expect([first, second, third].map((one) => lengths.write(one))).toEqual([0, 0, 0.3]);
  expect([first, second, third].map(lasts)).toEqual([1280, 3 * 1280, 6 * 1280]);
  for (let n = 5; n < 60; n += 1) came(lengths, n * 1280);
  const last = came(lengths, 60 * 1280);
  expect([lengths.write(last), lengths.write(last), lasts(last)], 'written again it is the same').toEqual([0.1, 0.1, 2 * 1280]);
});

it('makes no picture shorter than it says', () => {
  const lengths = new PictureLengths(pictureInit());
  const [first, second] = [came(lengths, 0), came(lengths, 100)];
  expect([lengths.write(first), lengths.write(second)]).toEqual([0, 0]);
  expect([first, second].map(lasts)).toEqual([SAID, SAID]);
});

it('measures nothing over a loss', () => {
  const lengths = new PictureLengths(pictureInit());
  for (const ticks of [0, 512, 1024]) came(lengths, ticks);
  came(lengths, SECOND / 2, said, false);
  const last = came(lengths, SECOND / 2 + 512);
  lengths.write(last);
  expect(lasts(last)).toBe(1024);
});

it('changes of a fragment of several pictures the last alone', () => {
  const lengths = new PictureLengths(pictureInit());
  const one = came(lengths, 0, [{ key: true, lasts: 600 }, { key: false, lasts: 700 }, { key: false, lasts: SAID }]);
  const before = one.bytes.slice();
  expect(one.at).toBe(1300);
  came(lengths, 1300 + 1280);
  lengths.write(one);
  expect(lasts(one)).toBe(1280);
  const changed = [...one.bytes].flatMap((byte, i) => (byte === before[i] ? [] : [i - one.place]));
  expect(changed.every((at) => at >= 0 && at < 4)).toBe(true);
});

it('knows a picture alone whose length is that of all samples of its fragment', () => {
  const lengths = new PictureLengths(pictureInit());
  const [flags, track, lengthOfAll] = [[0, 2, 0, 8], [0, 0, 0, 1], [0, 0, 2, 0]];
  const [tfdt, trun] = [fakeBox('tfdt', new Uint8Array(8)), fakeBox('trun', [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 100])];
  const tfhd = fakeBox('tfhd', flags, track, lengthOfAll);
  const one = lengths.came(fakeBox('moof', fakeBox('traf', tfhd, tfdt, trun)), true);
  if (one === null) throw new Error('not understood');
  expect(one.said).toBe(SAID);
  lengths.write(one);
  expect(lasts(one)).toBe(SECOND);
});

it.each([
  ['what is no media', new Uint8Array([1, 2, 3])],
  ['pictures whose lengths the init alone says', fragment(0, [{ key: true }])],
])('leaves %s as it is', (_, bytes) => {
  expect(new PictureLengths(pictureInit()).came(bytes, true)).toBeNull();
});
