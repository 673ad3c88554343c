import { describe, expect, it } from 'vitest';
import { newLine } from '../../lib/transcript';
import { firstBlank, phraseLine, matching, type Phrase } from './phrases';

function phrase(title: string, initials: string, more: Partial<Phrase> = {}): Phrase {
  const text = `${title}。`;
  return { id: title, group: '甲', title, role: '审判长', seat: 'judge', cases: [], fits: true, initials, text, parts: [{ text }], missing: [], ...more };
}

const ALL = [
  phrase('权利义务告知', 'qlywgz'),
  phrase('休庭', 'xt', { group: '乙' }),
  phrase('宣布开庭（刑事）', 'xbktxs', { fits: false, text: '传被告人到庭。' }),
];
const titles = (query: string, all = false): string[] => matching(ALL, query, all).flatMap((g) => g.phrases.map((p) => p.title));

describe('finding a phrase', () => {
  it('shows those of the case, and all by one touch', () => {
    expect(titles('')).toEqual(['权利义务告知', '休庭']);
    expect(titles('', true)).toHaveLength(3);
  });

  it('takes pinyin initials, characters of the title and of the text', () => {
    expect(titles('qlyw')).toEqual(['权利义务告知']);
    expect(titles('QL YW')).toEqual(['权利义务告知']);
    expect(titles('义务')).toEqual(['权利义务告知']);
    expect(titles('被告人', true)).toEqual(['宣布开庭（刑事）']);
    expect(titles('zzz', true)).toEqual([]);
  });

  it('keeps the groups in the order of the file', () => {
    expect(matching(ALL, '', true).map((group) => group.name)).toEqual(['甲', '乙']);
  });
});

describe('inserting a phrase', () => {
  it('goes after the chosen line, at its end in time, and long enough for a subtitle', () => {
    const above = newLine({ id: 'u1', text: '甲', start_ms: 100, end_ms: 200 });
    expect(phraseLine(ALL[1] as Phrase, 'p1', above, 900)).toEqual({
      id: 'p1',
      after: 'u1',
      seat: 'judge',
      role: '审判长',
      start_ms: 200,
      end_ms: 1200,
      text: '休庭。',
      source: 'phrase',
    });
  });

  it('goes to this moment without one', () => {
    expect(phraseLine(ALL[1] as Phrase, 'p1', null, 900)).toMatchObject({ after: '', start_ms: 900, end_ms: 1900 });
  });

  it('knows the first blank in characters', () => {
    expect(firstBlank('𠮷由____和____审理')).toEqual({ at: 2, length: 4 });
    expect(firstBlank('由赵敏审理')).toBeNull();
  });
});
