import { afterEach, expect, it, vi } from 'vitest';
import { unplayable } from './codecNames';
import { whyUnplayable } from './playable';

function plays(...parts: string[]): void {
  vi.stubGlobal('MediaSource', { isTypeSupported: (mime: string) => parts.some((part) => mime.includes(part)) });
}

afterEach(() => vi.unstubAllGlobals());

it('says nothing against what can be played', () => {
  plays('avc1');
  expect(whyUnplayable('video/mp4; codecs="avc1.42E01E"')).toBe('');
  expect(whyUnplayable('')).toBe('');
});

it.each([
  ['video/mp4; codecs="avc1.42E01E"', '不能播放 H.264 画面'],
  ['video/mp4; codecs="hvc1.1.6.L93.B0"', '不能播放 H.265 (HEVC) 画面'],
  ['audio/mp4; codecs="mp4a.40.2"', '不能播放 AAC 声音'],
  ['audio/mp4; codecs="flac"', '不能播放 FLAC 声音'],
  ['video/webm; codecs="vp9"', '不能播放 video/webm; codecs="vp9" 画面'],
])('names what a browser was built without: %s', (mime, words) => {
  plays();
  expect(whyUnplayable(mime)).toContain(words);
});

it('names what is missing where nothing can be played', () => {
  vi.stubGlobal('MediaSource', undefined);
  expect(whyUnplayable('')).toContain('缺少 Media Source Extensions');
});

const nothing = (): boolean => false;

it('what a browser cannot play is called by the name that is on the camera', () => {
  expect(unplayable('video/mp4; codecs="hvc1.1.6.L93.90"', nothing)).toBe('H.265 (HEVC)');
  expect(unplayable('video/mp4; codecs="avc1.42c01e"', nothing)).toBe('H.264');
  expect(unplayable('video/mp4; codecs="av01.0"', nothing)).toBe('video/mp4; codecs="av01.0"');
});

it('what it can play, or is not known yet, is not called anything', () => {
  expect(unplayable('video/mp4; codecs="hvc1.1.6.L93.90"', () => true)).toBe('');
  expect(unplayable('', nothing)).toBe('');
});
