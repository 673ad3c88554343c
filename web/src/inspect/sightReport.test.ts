import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { REST_MS, SightReport } from './sightReport';

describe('which rooms are on the screen', () => {
  let told: string[][] = [];
  beforeEach(() => {
    told = [];
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const report = (): SightReport => new SightReport((addresses) => told.push([...addresses]));

  it('is told at once of the first, all in one', async () => {
    const sight = report();
    sight.enter('a/1');
    sight.enter('a/2');
    await Promise.resolve();
    expect(told).toEqual([['a/1', 'a/2']]);
  });

  it('is told when the screen rests, whatever has gone past', async () => {
    const sight = report();
    sight.enter('a/0');
    await Promise.resolve();
    for (let row = 1; row <= 100; row += 1) {
      sight.enter(`a/${row}`);
      sight.leave(`a/${row - 1}`);
      vi.advanceTimersByTime(REST_MS / 2);
    }
    expect(told).toEqual([['a/0']]);
    vi.advanceTimersByTime(REST_MS);
    expect(told).toEqual([['a/0'], ['a/100']]);
  });

  it('is nothing when the page is left, and stays so', async () => {
    const sight = report();
    sight.enter('a/1');
    await Promise.resolve();
    sight.leave('a/1');
    sight.close();
    sight.enter('a/2');
    vi.advanceTimersByTime(REST_MS * 2);
    expect(told).toEqual([['a/1'], []]);
  });
});
