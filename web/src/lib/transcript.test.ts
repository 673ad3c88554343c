import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyEvent, emptyHearing } from './hearing';
import { changed, merged, moved } from './transcript';
import type { Line, RoomEvent } from './types';

interface FoldCase {
  name: string;
  screen: RoomEvent[];
  utterances: Line[];
  voices: unknown[];
}
const cases = JSON.parse(readFileSync('../tests/sync/record/transcript_cases.json', 'utf8')) as FoldCase[];

describe('the fold of words', () => {
  it.each(cases.map((one): [string, FoldCase] => [one.name, one]))('is the one of the room: %s', (_, one) => {
    const hearing = emptyHearing('h');
    for (const event of one.screen) applyEvent(hearing, event);
    expect(hearing.utterances).toEqual(one.utterances);
    expect(hearing.voices).toEqual(one.voices);
  });

  it('goes on from a whole state as if it had seen the events before it', () => {
    for (const one of cases) {
      for (let cut = 0; cut <= one.screen.length; cut += 1) {
        const before = emptyHearing('h');
        for (const event of one.screen.slice(0, cut)) applyEvent(before, event);
        const hearing = JSON.parse(JSON.stringify(before)) as typeof before;
        for (const event of one.screen) applyEvent(hearing, event);
        expect(hearing.utterances, `${one.name} at ${cut}`).toEqual(one.utterances);
      }
    }
  });
});

describe('changes of a text', () => {
  it('counts characters, not units', () => {
    expect(changed('𠮷甲乙', '𠮷丙乙')).toEqual({ head: 1, tail: 1 });
    expect(moved([[1, 2], [2, 3]], '𠮷甲乙', '𠮷𠮷甲乙')).toEqual([[2, 3], [3, 4]]);
    expect(moved([[0, 2]], '𠮷甲乙', '𠮷丙乙')).toEqual([]);
  });

  it('puts two changes into one where they are at different places', () => {
    expect(merged('我借他三十万', '我借给他三十万', '我借他30万')).toBe('我借给他30万');
    expect(merged('我借他三十万', '我借他30万', '我借给他三十万')).toBe('我借给他30万');
    expect(merged('甲', '甲', '乙')).toBe('乙');
    expect(merged('甲', '乙', '甲')).toBe('乙');
    expect(merged('甲', '乙', '乙')).toBe('乙');
  });

  it('leaves the choice to a person where they are at the same place', () => {
    expect(merged('意见？', '意见！', '意见。请回答')).toBeNull();
    expect(merged('甲乙', '甲丙乙', '甲丁乙')).toBeNull();
  });
});
