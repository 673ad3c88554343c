import { expect, it } from 'vitest';
import { PlayoutClock } from './playoutClock';

/** A picture each 40 ms from `fromMs` on, ready `delay(n)` after its moment. */
function comes(clock: PlayoutClock, fromMs: number, count: number, delay: (n: number) => number): number {
  for (let n = 0; n < count; n += 1) clock.ready(fromMs + n * 40, fromMs + n * 40 + delay(n));
  return fromMs + count * 40;
}

it('shows what is there before anything was measured', () => {
  expect(new PlayoutClock().offsetMs).toBeNull();
});

it('rises at once when arrivals get worse, and falls slowly', () => {
  const clock = new PlayoutClock();
  let at = comes(clock, 0, 250, () => 50);
  expect(clock.offsetMs).toBe(50);
  at = comes(clock, at, 100, (n) => (n % 2 === 0 ? 50 : 90));
  expect(clock.offsetMs).toBe(90);
  at = comes(clock, at, 250, () => 50);
  expect(clock.offsetMs).toBeGreaterThan(50);
  comes(clock, at, 250, () => 50);
  expect(clock.offsetMs).toBe(50);
});

it('keeps no picture for a room clock that leapt', () => {
  const clock = new PlayoutClock();
  const at = comes(clock, 0, 250, () => 5000);
  comes(clock, at, 2, () => 50);
  expect(clock.offsetMs).toBe(50);
});

it('measures anew where the time of the room goes back', () => {
  const clock = new PlayoutClock();
  for (let n = 0; n < 300; n += 1) clock.ready(90_000 + n * 40, 100_000 + n * 40 + 30);
  expect(clock.offsetMs).toBe(10_030);
  clock.ready(500, 112_000 + 30);
  expect(clock.offsetMs).toBe(112_030 - 500);
});
