import { expect, test } from 'vitest';
import { devicesOf, shownAfar, shownTrack, tileTrack } from './tracks';
import type { TrackStatus } from './types';

const track = (id: string): TrackStatus => ({
  id,
  kind: 'video',
  name: id,
  mime: '',
  state: 'running',
  kept: true,
  kept_bytes: 0,
  last_fragment_ms: null,
  restarts: 0,
  why: '',
});

test('the composed picture is no device: a hearing is recorded without it', () => {
  expect(devicesOf({ tracks: [track('bench'), { ...track('program'), state: 'off', kept: false }] }).map((t) => t.id)).toEqual([
    'bench',
  ]);
  expect(devicesOf(null)).toEqual([]);
});

test('where a browser cannot play a camera, the track that is made of it is shown', () => {
  const hevc = { ...track('bench'), mime: 'video/mp4; codecs="hvc1.1.6.L93.90"' };
  const cannot = (mime: string): string => (mime.includes('hvc1') ? 'H.265' : '');
  const made = track('bench-h264');
  expect(shownTrack({ tracks: [hevc, made] }, 'bench', cannot)).toBe('bench-h264');
  expect(shownTrack({ tracks: [hevc, made] }, 'bench', () => '')).toBe('bench');
  expect(shownTrack({ tracks: [hevc] }, 'bench', cannot)).toBe('bench');
  expect(shownTrack({ tracks: [hevc, { ...made, state: 'off' }] }, 'bench', cannot)).toBe('bench');
  expect(shownTrack(null, 'bench', cannot)).toBe('bench');
  expect(devicesOf({ tracks: [hevc, made] }).map((t) => t.id)).toEqual(['bench']);
});

test('a wall asks for a small picture only where the room says that it has one', () => {
  expect(tileTrack({ tile: { of: 'bench', why: null } })).toBe('tile');
  expect(tileTrack({ tile: { of: 'bench', why: '小画面已停用：本机算力不足' } })).toBeNull();
  expect(tileTrack({ tile: { of: null, why: null } })).toBeNull();
  expect(tileTrack({})).toBeNull(); // a recorder of before
  expect(tileTrack(null)).toBeNull();
});

test('at the center a camera that a browser cannot play is shown by its small picture, where nothing larger is made', () => {
  const hevc = { ...track('bench'), mime: 'video/mp4; codecs="hvc1.1.6.L93.90"' };
  const cannot = (mime: string): string => (mime.includes('hvc1') ? 'H.265' : '');
  const tile = { of: 'bench', why: null };
  expect(shownAfar({ tracks: [hevc], tile }, 'bench', cannot)).toBe('tile');
  expect(shownAfar({ tracks: [hevc], tile }, 'bench', () => '')).toBe('bench');
  expect(shownAfar({ tracks: [hevc, track('bench-h264')], tile }, 'bench', cannot)).toBe('bench-h264');
  expect(shownAfar({ tracks: [hevc], tile: { of: 'parties', why: null } }, 'bench', cannot)).toBe('bench');
  expect(shownAfar({ tracks: [hevc], tile: { of: 'bench', why: '小画面已停用：本机算力不足' } }, 'bench', cannot)).toBe('bench');
  expect(shownAfar({ tracks: [hevc] }, 'bench', cannot)).toBe('bench');
  expect(shownAfar(null, 'bench', cannot)).toBe('bench');
});
