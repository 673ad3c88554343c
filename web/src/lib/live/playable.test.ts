import { expect, test } from 'vitest';
import { unplayable } from './playable';

const nothing = (): boolean => false;

test('what a browser cannot play is called by the name that is on the camera', () => {
  expect(unplayable('video/mp4; codecs="hvc1.1.6.L93.90"', nothing)).toBe('H.265 (HEVC)');
  expect(unplayable('video/mp4; codecs="avc1.42c01e"', nothing)).toBe('H.264');
  expect(unplayable('video/mp4; codecs="av01.0"', nothing)).toBe('video/mp4; codecs="av01.0"');
});

test('what it can play, or is not known yet, is not called anything', () => {
  expect(unplayable('video/mp4; codecs="hvc1.1.6.L93.90"', () => true)).toBe('');
  expect(unplayable('', nothing)).toBe('');
});
