import { expect, test } from 'vitest';
import { devicesOf } from './tracks';
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
