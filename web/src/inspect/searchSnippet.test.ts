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

  it('marks a name with another dot, and a number in other brackets, as they are written', () => {
    const hits = (text: string, q: string) => highlight(text, q).filter((p) => p.hit).map((p) => p.text);
    expect(hits('原告买买提·艾力诉称', '买买提艾力')).toEqual(['买买提·艾力']);
    expect(hits('原告买买提艾力诉称', '买买提•艾力')).toEqual(['买买提艾力']);
    expect(hits('见〔2026〕黑05民初123号', '(2026)黑05')).toEqual(['〔2026〕黑05']);
    expect(hits('他付了①㎡', 'm2')).toEqual(['㎡']);
    expect(hits('E\u0301cole', 'é')).toEqual(['E\u0301']);
  });

  it('loses no character, whatever is looked for', () => {
    for (const q of ['', ' ', '没有', '的', 'A']) {
      expect(highlight('你的a款项', q).map((p) => p.text).join('')).toBe('你的a款项');
      const marked = '\u0301a\u200b张·㎡\u{e0100}𠮷';
      expect(highlight(marked, q).map((p) => p.text).join('')).toBe(marked);
    }
  });
});
