import { describe, expect, it } from 'vitest';
import { newLine } from '../../lib/transcript';
import type { CheckFinding, Line } from '../../lib/types';
import { accepting, alike, context, holds } from './findings';

function finding(line: string, at: number, from: string, to: string | null): CheckFinding {
  const id = `${line}/${at}`;
  return { id, kind: 'name', line, at, length: [...from].length, from, to, why: '', also: null, ignored: false };
}

const LINES: Record<string, Line> = {
  a: { ...newLine({ id: 'a', text: '𠮷张伟民和张伟民' }), revision: 7 },
  b: { ...newLine({ id: 'b', text: '张伟民' }), revision: 9 },
};
const lineOf = (id: string): Line | null => LINES[id] ?? null;

describe('accepting findings', () => {
  it('writes each line once, by characters', () => {
    const all = [finding('a', 1, '张伟民', '张伟明'), finding('a', 5, '张伟民', '张伟明'), finding('b', 0, '张伟民', '张伟明')];
    expect(accepting(all, lineOf)).toEqual([
      { line: 'a', base: 7, set: { text: '𠮷张伟明和张伟明' } },
      { line: 'b', base: 9, set: { text: '张伟明' } },
    ]);
  });

  it('leaves out what has changed, what is gone, and what nobody can say', () => {
    expect(accepting([finding('b', 0, '张卫民', '张伟明')], lineOf)).toEqual([]);
    expect(accepting([finding('c', 0, '张伟民', '张伟明')], lineOf)).toEqual([]);
    expect(accepting([finding('b', 0, '张伟民', null)], lineOf)).toEqual([]);
    expect(holds(finding('a', 1, '张伟民', null), LINES['a']?.text ?? '')).toBe(true);
  });

  it('knows those that are alike', () => {
    const all = [finding('a', 1, '张伟民', '张伟明'), finding('b', 0, '张伟民', '张伟明'), finding('b', 0, '李', null)];
    expect(alike(all[0] as CheckFinding, all)).toHaveLength(2);
    expect(alike(all[2] as CheckFinding, all)).toEqual([]);
  });

  it('shows words in what stands around them', () => {
    expect(context(finding('a', 5, '张伟民', null), LINES['a']?.text ?? '', 2)).toEqual({ head: '…民和', words: '张伟民', tail: '' });
  });
});
