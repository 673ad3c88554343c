import { describe, expect, it } from 'vitest';
import { Strokes } from './strokes';

function pad(): Strokes {
  const strokes = new Strokes();
  Object.assign(strokes, { width: 800, height: 200 });
  return strokes;
}

describe('strokes', () => {
  it('keeps points of the pad with their time from the first touch', () => {
    const strokes = pad();
    strokes.begin(80, 100, 5000, 0.5);
    strokes.move(160, 50, 5016, 0.75);
    strokes.end();
    strokes.move(170, 50, 5020, 0.75);
    strokes.begin(400, 100, 6000, 0.25);
    expect(strokes.all).toEqual([
      [
        [0.1, 0.5, 0, 0.5],
        [0.2, 0.25, 16, 0.75],
      ],
      [[0.5, 0.5, 1000, 0.25]],
    ]);
  });

  it('takes a slip of the hand for no signature', () => {
    const strokes = pad();
    strokes.begin(80, 100, 0, 0.5);
    strokes.move(90, 100, 5, 0.5);
    expect(strokes.slight).toBe(true);
    strokes.move(190, 100, 15, 0.5);
    expect(strokes.slight).toBe(false);
    strokes.clear();
    expect(strokes.empty).toBe(true);
  });

  it('stays on the pad and within its bounds', () => {
    const strokes = pad();
    strokes.begin(-50, 900, 0, 7);
    expect(strokes.all[0]?.[0]).toEqual([0, 1, 0, 1]);
    for (let i = 0; i < 10_000; i++) strokes.move(i % 800, (i * 7) % 200, i, 0.5);
    expect(strokes.full).toBe(true);
    expect(strokes.all.flat().length).toBeLessThanOrEqual(3900);
  });
});
