import { describe, expect, it } from 'vitest';
import { explainSkip, joined, nextChunk, playableFrom, reach, recordedEnd, stretchAt, stretches } from './playbackPlan';

const S = 1000;

describe('what can be played', () => {
  it('joins fragments over their seams, not over gaps', () => {
    expect(joined([[20, 30], [0, 10], [10.5, 20]], 1)).toEqual([[0, 30]]);
    expect(joined([[0, 10], [200, 300]], 100)).toEqual([[0, 10], [200, 300]]);
  });

  it('cuts the line at pauses and gaps, and plays sound without picture', () => {
    const list = stretches({
      opened_ms: 0,
      end_ms: 100 * S,
      pauses: [{ from_ms: 40 * S, to_ms: 60 * S }],
      tracks: [
        { id: 'bench', ranges: [[-1 * S, 20 * S], [25 * S, 40 * S], [59 * S, 100 * S]] },
        { id: 'mix', ranges: [[0, 40 * S], [59 * S, 100 * S]] },
      ],
    });
    expect(list).toEqual([
      { from_ms: 0, to_ms: 20 * S, tracks: ['bench', 'mix'] },
      { from_ms: 20 * S, to_ms: 25 * S, tracks: ['mix'] },
      { from_ms: 25 * S, to_ms: 40 * S, tracks: ['bench', 'mix'] },
      { from_ms: 40 * S, to_ms: 60 * S, tracks: [] },
      { from_ms: 60 * S, to_ms: 100 * S, tracks: ['bench', 'mix'] },
    ]);
    expect(stretchAt(list, 30 * S)?.from_ms).toBe(25 * S);
    expect(playableFrom(list, 45 * S)).toMatchObject({ at_ms: 60 * S });
    expect(playableFrom(list, 30 * S)).toMatchObject({ at_ms: 30 * S });
    expect(playableFrom(list, 100 * S)).toBeNull();
  });

  it('steps over a sliver in which one track has not begun yet', () => {
    const list = stretches({
      opened_ms: 0,
      end_ms: 10 * S,
      pauses: [],
      tracks: [
        { id: 'bench', ranges: [[200, 10 * S]] },
        { id: 'mix', ranges: [[0, 10 * S]] },
      ],
    });
    expect(list.map((s) => s.tracks)).toEqual([[], ['bench', 'mix']]);
    expect(playableFrom(list, 0)?.at_ms).toBe(200);
  });

  it('does not take the mix for lost because the camera’s upload is a little ahead', () => {
    const tracks = [
      { id: 'bench', ranges: [[0, 50 * S]] as const },
      { id: 'mix', ranges: [[0, 48 * S]] as const },
    ];
    expect(recordedEnd(tracks, true, 60 * S)).toBe(48 * S);
    expect(recordedEnd(tracks, false, 60 * S)).toBe(60 * S);
    // a camera that has been dead for long does not hold the sound back
    expect(recordedEnd([{ id: 'a', ranges: [[0, 5 * S]] }, { id: 'mix', ranges: [[0, 48 * S]] }], true, 60 * S)).toBe(48 * S);
    expect(recordedEnd([], true, 60 * S)).toBe(60 * S);
  });
});

describe('what to fetch next', () => {
  const appetite = { ahead_ms: 20 * S, chunk_ms: 10 * S };

  it('asks for ten seconds ahead until twenty are there', () => {
    expect(nextChunk(5 * S, 5 * S, 100 * S, appetite)).toEqual({ from_ms: 5 * S, to_ms: 15 * S });
    expect(nextChunk(5 * S, 15 * S, 100 * S, appetite)).toEqual({ from_ms: 15 * S, to_ms: 25 * S });
    expect(nextChunk(5 * S, 25 * S, 100 * S, appetite)).toBeNull();
  });

  it('stops at the end of the stretch', () => {
    expect(nextChunk(5 * S, 15 * S, 18 * S, appetite)).toEqual({ from_ms: 15 * S, to_ms: 18 * S });
    expect(nextChunk(5 * S, 18 * S, 18 * S, appetite)).toBeNull();
  });

  it('knows how far the buffer reaches without a hole', () => {
    expect(reach([[0, 10 * S], [12 * S, 20 * S]], 3 * S)).toBe(10 * S);
    expect(reach([[0, 10 * S]], 11 * S)).toBe(11 * S);
  });
});

describe('why something is skipped', () => {
  const pauses = [{ from_ms: 10 * S, to_ms: 20 * S, reason: 'recess' }];
  const gaps = [{ from_ms: 30 * S, to_ms: 34 * S, why: 'camera gone' }];

  it('names the pause, the gap, or says that nothing is known', () => {
    expect(explainSkip(10 * S, 20.5 * S, pauses, gaps)).toMatchObject({ kind: 'pause', reason: 'recess' });
    expect(explainSkip(29.8 * S, 34 * S, pauses, gaps)).toMatchObject({ kind: 'gap', reason: 'camera gone' });
    expect(explainSkip(50 * S, 55 * S, pauses, gaps)).toMatchObject({ kind: 'missing', reason: '' });
  });
});
