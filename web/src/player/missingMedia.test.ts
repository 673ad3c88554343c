import { describe, expect, it } from 'vitest';
import { missing, missingAt, missingMs, rows, touchesRecord } from './missingMedia';

const gap = (track: string, from_ms: number, to_ms: number) => ({ track, from_ms, to_ms, why: '断开' });

describe('what is missing', () => {
  it('leaves out what a lawful pause leaves out', () => {
    const pauses = [{ from_ms: 100, to_ms: 200 }];
    expect(missing([gap('a', 120, 180)], pauses)).toEqual([]);
    expect(missing([gap('a', 50, 250)], pauses).map((m) => [m.from_ms, m.to_ms])).toEqual([[50, 100], [200, 250]]);
    expect(missing([gap('a', 50, 250)], [{ from_ms: 100, to_ms: null }]).map((m) => m.to_ms)).toEqual([100]);
  });

  it('counts time once, however many tracks miss it', () => {
    const list = missing([gap('a', 0, 1000), gap('b', 500, 1500), gap('a', 3000, 3400)], []);
    expect(missingMs(list)).toBe(1900);
    expect(missingMs([])).toBe(0);
  });

  it('makes a row of every track that misses something, in the order of the tracks', () => {
    const list = missing([gap('b', 0, 10), gap('a', 5, 10), gap('b', 20, 30)], []);
    const found = rows([{ id: 'a' }, { id: 'c' }, { id: 'b' }], list);
    expect(found.map((row) => [row.track.id, row.gaps.length])).toEqual([['a', 1], ['b', 2]]);
  });

  it('is found by a finger that is wider than it', () => {
    const list = missing([gap('a', 1000, 1010)], []);
    expect(missingAt(list, 900, 50)).toEqual([]);
    expect(missingAt(list, 960, 50)).toHaveLength(1);
  });
});

describe('an alarm', () => {
  it('touches the record unless it is of what stands beside it, as in the written explanation', () => {
    const touching = (code: string, subject = 'bench') => touchesRecord({ code, subject });
    expect(['source', 'frozen', 'write', 'silence', 'a code of tomorrow'].map((code) => touching(code))).toEqual([true, true, true, true, true]);
    expect(['copy', 'compatible', 'slow-picture', 'not-enrolled'].map((code) => touching(code))).toEqual([false, false, false, false]);
    expect([touching('readback', 'readback'), touching('readback')]).toEqual([false, true]);
  });
});
