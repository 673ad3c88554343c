import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MediaHub } from '../lib/live/mediaHub';
import { ForeseenRoom, HANDED_ON_MS, MOST_FORESEEN_MS, POINTER_RESTS_MS } from './foreseenRoom';

let wanted: string[][];
let foreseen: ForeseenRoom;
async function rests(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await Promise.resolve();
}

beforeEach(() => {
  vi.useFakeTimers();
  wanted = [];
  foreseen = new ForeseenRoom(new MediaHub((addresses) => wanted.push(addresses)));
});
afterEach(() => vi.useRealTimers());

it('asks for the picture of a tile on which the pointer rests, and for no other', async () => {
  foreseen.over('a/1/bench');
  await rests(POINTER_RESTS_MS - 1);
  foreseen.over('a/2/bench');
  await rests(POINTER_RESTS_MS);
  foreseen.out();
  await rests(0);
  foreseen.over(null);
  await rests(POINTER_RESTS_MS);
  expect(wanted).toEqual([['a/2/bench'], []]);
});

it('does not go on with it for whoever rests and opens nothing', async () => {
  foreseen.over('a/1/bench');
  await rests(POINTER_RESTS_MS);
  await rests(MOST_FORESEEN_MS);
  expect(wanted).toEqual([['a/1/bench'], []]);
});

it('holds what it asked for until the page of the room has asked for it', async () => {
  foreseen.over('a/1/bench');
  await rests(POINTER_RESTS_MS);
  foreseen.over('a/1/bench'); // the focus comes with the click
  foreseen.handOn();
  foreseen.out(); // its tile is gone, and with it the pointer
  await rests(HANDED_ON_MS - 1);
  expect(wanted).toEqual([['a/1/bench']]);
  await rests(1);
  expect(wanted).toEqual([['a/1/bench'], []]);
  foreseen.over('a/2/bench');
  await rests(POINTER_RESTS_MS);
  expect(wanted.at(-1)).toEqual(['a/2/bench']);
});
