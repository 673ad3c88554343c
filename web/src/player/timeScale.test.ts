import { describe, expect, it } from 'vitest';
import { TimeScale } from './timeScale';

describe('the time line’s scale', () => {
  const scale = new TimeScale(10_000, 70_000);

  it('turns room time into a fraction and back', () => {
    expect(scale.fraction(40_000)).toBe(0.5);
    expect(scale.at(0.5)).toBe(40_000);
  });

  it('keeps what lies outside at the edges', () => {
    expect(scale.fraction(0)).toBe(0);
    expect(scale.fraction(99_000)).toBe(1);
    expect(scale.at(-1)).toBe(10_000);
    expect(scale.at(2)).toBe(70_000);
  });

  it('draws an unfinished span up to the end of the line', () => {
    expect(scale.box(40_000, null)).toEqual({ left: 50, width: 50 });
    expect(scale.box(80_000, 90_000).width).toBe(0);
  });

  it('labels round steps from the start, never more than fit', () => {
    const ticks = scale.ticks(840);
    expect(ticks[0]).toBe(10_000);
    expect(ticks[1]).toBe(20_000);
    expect(ticks.length).toBeLessThanOrEqual(11);
    expect(new TimeScale(0, 8 * 3_600_000).ticks(840)[1]).toBe(3_600_000);
  });

  it('survives a line without length', () => {
    expect(new TimeScale(5, 5).fraction(5)).toBe(0);
  });
});
