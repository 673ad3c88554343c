import { expect, it } from 'vitest';
import { ArrivalJitter, MOST_RESERVE_MS } from './arrivalJitter';

function measured(delays: number[]): ArrivalJitter {
  const jitter = new ArrivalJitter();
  for (const delay of delays) jitter.add(delay);
  return jitter;
}

const even = (count: number, delay: number): number[] => Array.from({ length: count }, () => delay);

it('keeps nothing back on a line that is always as quick', () => {
  expect(measured(even(250, -7_000_000)).reserveMs).toBe(0);
  expect(measured([]).delayMs).toBeNull();
});

it('keeps back what all but two of a hundred need', () => {
  expect(measured([...even(245, 10), ...even(5, 90)]).reserveMs).toBe(0);
  expect(measured([...even(240, 10), ...even(10, 90)]).reserveMs).toBe(80);
});

it('takes a line that stood still for no jitter', () => {
  const jitter = measured(even(20, 10));
  for (let n = 75; n > 0; n -= 1) jitter.add(10 + 40 * n, n < 75);
  expect(jitter.reserveMs).toBe(0);
  jitter.add(9 + MOST_RESERVE_MS);
  expect(jitter.reserveMs).toBe(MOST_RESERVE_MS - 1);
});

it('forgets what was ten seconds ago', () => {
  expect(measured([...even(100, 300), ...even(250, 10)]).reserveMs).toBe(0);
});
