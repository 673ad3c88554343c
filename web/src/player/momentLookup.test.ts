import { describe, expect, it } from 'vitest';
import { lineAt, phaseAt, spanAt, speakersAt } from './momentLookup';

describe('a moment of a hearing', () => {
  const shown = [
    { from_ms: 100, to_ms: 200, exhibit: 'iou' },
    { from_ms: 200, to_ms: 300, exhibit: 'slip' },
    { from_ms: 500, to_ms: null, exhibit: 'iou' },
  ];

  it('has the exhibit that was on the screens then, and none between', () => {
    expect(spanAt(shown, 99)).toBeNull();
    expect(spanAt(shown, 100)?.exhibit).toBe('iou');
    expect(spanAt(shown, 200)?.exhibit).toBe('slip');
    expect(spanAt(shown, 300)).toBeNull();
    expect(spanAt(shown, 9_000)?.exhibit).toBe('iou');
  });

  const lines = [
    { id: 'a', start_ms: 1000, end_ms: 3000 },
    { id: 'b', start_ms: 2500, end_ms: 4000 },
    { id: 'c', start_ms: 9000, end_ms: 9500 },
  ];

  it('follows the line spoken, and stays on the last one in silence', () => {
    expect(lineAt(lines, 0)).toBeNull();
    expect(lineAt(lines, 1000)?.id).toBe('a');
    expect(lineAt(lines, 2600)?.id).toBe('b');
    expect(lineAt(lines, 8000)?.id).toBe('b');
    expect(lineAt(lines, 99_000)?.id).toBe('c');
  });

  it('knows all who speak at once', () => {
    expect(speakersAt(lines, 2600).map((l) => l.id)).toEqual(['a', 'b']);
    expect(speakersAt(lines, 8000)).toEqual([]);
  });

  it('knows where the hearing stood', () => {
    const hearing = { opened_ms: 100, closed_ms: 900, pauses: [{ from_ms: 300, to_ms: 400 }] };
    expect([50, 100, 350, 400, 900].map((t) => phaseAt(hearing, t))).toEqual([
      'before',
      'open',
      'paused',
      'open',
      'closed',
    ]);
    expect(phaseAt({ opened_ms: 0, closed_ms: null, pauses: [{ from_ms: 10, to_ms: null }] }, 99)).toBe('paused');
  });
});
