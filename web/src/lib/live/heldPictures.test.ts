import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Envelope, KIND } from '../envelope';
import { HELD_FRESH_MS, HeldPictures, MOST_HELD_BYTES } from './heldPictures';

let held: HeldPictures;
const sequences = (address = 'bench'): number[] => held.of(address).map((one) => one.sequence);

/** The `n`th picture; a key frame every ten. */
function picture(n: number, more: Partial<Envelope> = {}): Envelope {
  const rest = { kept: true, initId: 1, roomMs: n * 40, utcMs: n * 40, durationMs: 40, payload: new Uint8Array([n]) };
  return { address: 'bench', kind: KIND.fragment, keyFrame: n % 10 === 0, sequence: n, ...rest, ...more };
}
function comes(from: number, to: number): void {
  for (let n = from; n < to; n += 1) held.take(picture(n));
}

beforeEach(() => {
  vi.useFakeTimers();
  held = new HeldPictures();
});
afterEach(() => vi.useRealTimers());

it('holds all since the last key frame, in bytes of its own and of each who is given them', () => {
  comes(5, 13);
  expect(sequences()).toEqual([10, 11, 12]);
  const [first] = held.of('bench');
  const [again] = held.of('bench');
  expect(first?.payload).toEqual(new Uint8Array([10]));
  expect(first?.payload.buffer).not.toBe(again?.payload.buffer);
});

it('holds nothing after a hole, a new run or an init segment before the next key frame', () => {
  comes(0, 5);
  held.take(picture(6));
  expect(sequences()).toEqual([]);
  comes(7, 12);
  expect(sequences()).toEqual([10, 11]);
  held.take(picture(12, { initId: 2 }));
  expect(sequences()).toEqual([]);
  comes(20, 22);
  held.take(picture(0, { kind: KIND.init }));
  expect(sequences(), 'the same run, told of anew').toEqual([20, 21]);
  held.take(picture(0, { kind: KIND.init, initId: 2 }));
  expect(sequences()).toEqual([]);
});

it('gives nobody a picture of long ago', () => {
  comes(0, 3);
  vi.advanceTimersByTime(HELD_FRESH_MS + 1);
  expect(sequences()).toEqual([]);
});

const large = (n: number, address = 'bench'): Envelope => picture(n, { address, payload: new Uint8Array(MOST_HELD_BYTES / 2) });

it('holds of what is more than a track may have the key frame alone, as long as the track goes on', () => {
  for (let n = 0; n < 5; n += 1) {
    held.take(large(n));
    vi.advanceTimersByTime(HELD_FRESH_MS / 2);
  }
  expect(sequences()).toEqual([0]);
  held.take(picture(5, { initId: 2 }));
  expect(sequences(), 'of another run').toEqual([]);
  comes(10, 13);
  expect(sequences()).toEqual([10, 11, 12]);
  held.take(picture(20, { payload: new Uint8Array(MOST_HELD_BYTES + 1) }));
  expect(sequences(), 'one key frame that is too much').toEqual([]);
});

it('has what holds most give way, down to its key frame', () => {
  for (const [track, n] of ['a', 'b', 'c', 'd'].flatMap((one) => [[one, 0], [one, 1]] as const)) held.take(large(n, track));
  held.take(picture(0, { address: 'e' }));
  expect(['a', 'b', 'c', 'd', 'e'].map((track) => sequences(track))).toEqual([[0], [0, 1], [0, 1], [0, 1], [0]]);
});

it('is bounded for all tracks', () => {
  for (let track = 0; track < 10; track += 1) held.take(large(0, `t${String(track)}`));
  expect(Array.from({ length: 10 }, (_, track) => sequences(`t${String(track)}`).length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  held.only(new Set(['t0']));
  held.take(large(0, 't9'));
  expect([sequences('t0'), sequences('t1'), sequences('t9')]).toEqual([[0], [], [0]]);
});
