import { expect, it } from 'vitest';
import { Reopening } from './reopening';

it('opens anew soon at first, and ever more seldom while it does not help', () => {
  const reopening = new Reopening();
  const waits: number[] = [];
  let now = 1000;
  expect(reopening.due(now)).toBe(true);
  for (let round = 0; round < 10; round += 1) {
    reopening.broke(now);
    const from = now;
    while (!reopening.due(now)) now += 100;
    waits.push(now - from);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

it('is soon again once it has played for a while, not with the first picture', () => {
  const reopening = new Reopening();
  for (let round = 0; round < 5; round += 1) reopening.broke(round);
  reopening.plays(9000);
  expect(reopening.tries).toBe(5);
  reopening.plays(11_000);
  expect(reopening.tries).toBe(0);
  reopening.broke(20_000);
  expect([reopening.due(20_400), reopening.due(20_500)]).toEqual([false, true]);
});
