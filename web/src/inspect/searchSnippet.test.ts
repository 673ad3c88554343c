import { describe, expect, it } from 'vitest';
import { highlight } from './searchSnippet';

describe('a line found', () => {
  it('shows every occurrence of what was looked for', () => {
    expect(highlight('借条是我写的，借条在这里', '借条').filter((p) => p.hit)).toHaveLength(2);
    expect(highlight('借条是我写的', '我 借条').map((p) => [p.text, p.hit])).toEqual([
      ['借条', true],
      ['是', false],
      ['我', true],
      ['写的', false],
    ]);
  });

  it('loses no character, whatever is looked for', () => {
    for (const q of ['', ' ', '没有', '的', 'A']) {
      expect(highlight('你的a款项', q).map((p) => p.text).join('')).toBe('你的a款项');
    }
  });
});
