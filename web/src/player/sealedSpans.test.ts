import { describe, expect, it } from 'vitest';
import type { SealedPart } from '../lib/types';
import { explainSkip, stretches } from './playbackPlan';
import { asPauses, drawn, SEALED, touches } from './sealedSpans';

const part = (id: string, from_ms: number, to_ms: number | null): SealedPart => ({
  id,
  from_ms,
  to_ms,
  level: 'restricted',
  by: 'inspector',
  reason: '',
  at_utc_ms: 0,
});

describe('sealed parts on a time line', () => {
  it('are drawn once, as seen or not', () => {
    const parts = [part('a', 10, 20), part('b', 15, 30), part('c', 50, null)];
    expect(drawn(parts, [{ from_ms: 10, to_ms: 30 }])).toEqual([
      { from_ms: 10, to_ms: 30, seen: false },
      { from_ms: 50, to_ms: null, seen: true },
    ]);
    expect(drawn(parts, [{ from_ms: 5, to_ms: null }]).map((span) => span.seen)).toEqual([false]);
    expect(drawn([], [{ from_ms: 5, to_ms: 6 }])).toHaveLength(1); // a party is told no parts
  });

  it('are skipped by the player, which says why', () => {
    const pauses = asPauses([{ from_ms: 10_000, to_ms: 20_000 }]);
    const tracks = [{ id: 'bench', ranges: [[0, 10_000], [20_000, 30_000]] as const }];
    const list = stretches({ opened_ms: 0, end_ms: 30_000, pauses, tracks });
    expect(list.map(({ from_ms, to_ms, tracks: ids }) => [from_ms, to_ms, ids.length])).toEqual([
      [0, 10_000, 1],
      [10_000, 20_000, 0],
      [20_000, 30_000, 1],
    ]);
    expect(explainSkip(10_000, 20_000, pauses, [])).toMatchObject({ kind: 'pause', reason: SEALED });
  });

  it('touch a line by a moment, and an empty line is a moment', () => {
    const lines = [
      [0, 10],
      [10, 10],
      [19, 25],
      [20, 30],
    ] as const;
    const touched = lines.filter(([start_ms, end_ms]) => touches({ from_ms: 10, to_ms: 20 }, { start_ms, end_ms }));
    expect(touched).toEqual([
      [10, 10],
      [19, 25],
    ]);
    expect(touches({ from_ms: 10, to_ms: null }, { start_ms: 1e9, end_ms: 1e9 })).toBe(true);
  });
});
