import { expect, it } from 'vitest';
import { readSamples, readTrack } from './codedSamples';
import { AAC_CONFIG, AVC_CONFIG, fakeBox, fragment, pictureInit, soundInit } from './fakeMedia';

const track = readTrack('video/mp4; codecs="avc1.42c01e"', pictureInit());

it('finds what decoders of pictures and of sound need', () => {
  expect([track.kind, track.codec, track.timescale, [...track.description]]).toEqual(['video', 'avc1.42c01e', 12_800, AVC_CONFIG]);
  const sound = readTrack('audio/mp4; codecs="mp4a.40.2"', soundInit());
  expect([sound.kind, sound.rateHz, sound.channels, [...sound.description]]).toEqual(['audio', 48_000, 2, AAC_CONFIG]);
});

it('takes one sample or several, with their times, far into the life of a room', () => {
  const ticks = 12_800 * 86_400 * 365 * 20;
  const samples = readSamples(fragment(ticks, [{ key: true, bytes: [7] }, { key: false, later: 1024, bytes: [8, 9] }, { key: false }]), track);
  const startUs = 86_400 * 365 * 20 * 1e6;
  expect(samples.map((one) => [one.atUs - startUs, one.durationUs, one.key, [...one.bytes]])).toEqual([
    [0, 40_000, true, [7]],
    [120_000, 40_000, false, [8, 9]],
    [80_000, 40_000, false, [1, 2, 3]],
  ]);
});

const whole = fragment(512, [{ key: true }, { key: false }]);

it.each(Array.from({ length: whole.length }, (_, n) => n))('takes nothing of a fragment that ends after %i bytes', (bytes) => {
  expect(() => readSamples(whole.slice(0, bytes), track)).toThrow();
});

it.each([
  ['before it', { offset: 0 }],
  ['behind it', { offset: 4096 }],
  ['at the start of a file', { tfhd: 0x20001 }],
])('refuses samples that lie %s', (_, change) => {
  expect(() => readSamples(fragment(0, [{ key: true }], change), track)).toThrow();
});

it('refuses what is no fragment, or two, and a box that says to be larger than all', () => {
  const two = new Uint8Array([...whole, ...whole]);
  const large = whole.slice();
  new DataView(large.buffer).setUint32(0, 0xffffffff);
  for (const bytes of [two, large, fakeBox('free'), new Uint8Array()]) expect(() => readSamples(bytes, track)).toThrow();
});

it('never reads beyond what it was given, whatever a byte says', () => {
  for (let at = 0; at < whole.length; at += 1) {
    for (const value of [0, 0x7f, 0xff]) {
      const bent = whole.slice();
      bent[at] = value;
      try {
        for (const { bytes } of readSamples(bent, track)) expect(bytes.byteOffset + bytes.byteLength).toBeLessThanOrEqual(bent.length);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  }
});
