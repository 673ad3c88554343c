import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api } from '../lib/api';
import type { HearingRecord, RoomEvent } from '../lib/types';
import { FollowedHearing } from './followedHearing.svelte';

const marked = (number: number): RoomEvent =>
  ({ number, hearing: 'h', kind: 'mark', room_ms: number, utc_ms: number, body: { id: `m${number}`, kind: '举证', text: '' } }) as unknown as RoomEvent;
const recordOf = (last_number: number): HearingRecord =>
  ({ id: 'h', last_number, marks: [], tracks: [], opened_ms: 0, closed_ms: null, now_ms: 1 }) as unknown as HearingRecord;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('asks for the whole hearing when events come late, behind newer ones, and not when they come in order', async () => {
  const get = vi.spyOn(api, 'get').mockResolvedValue(recordOf(1));
  const view = new FollowedHearing('h');
  await vi.advanceTimersByTimeAsync(0);
  view.take(marked(2));
  await vi.advanceTimersByTimeAsync(1000);
  expect(get).toHaveBeenCalledTimes(1);
  get.mockResolvedValue(recordOf(7));
  view.take(marked(7)); // 3 to 6 are still on their way
  for (const number of [3, 4, 5, 6]) view.take(marked(number));
  await vi.advanceTimersByTimeAsync(1000);
  expect(get).toHaveBeenCalledTimes(2);
  expect(view.record?.last_number).toBe(7);
  view.destroy();
});
