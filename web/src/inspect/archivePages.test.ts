import { describe, expect, it } from 'vitest';
import { ArchivePages, PAGE } from './archivePages.svelte';

type Answer = { rows: number[]; next: string | null; looked_to_utc_ms?: number };

function asking(answers: Record<string, Answer | Error>): { pages: ArchivePages<number>; asked: string[] } {
  const asked: string[] = [];
  const pages = new ArchivePages<number>(async (after) => {
    asked.push(after);
    const answer = answers[after];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error(`nobody expects ${after}`);
    return Promise.resolve({ rows: answer.rows, end: { next: answer.next, looked_to_utc_ms: answer.looked_to_utc_ms ?? null } });
  });
  return { pages, asked };
}

const full = (from: number): number[] => Array.from({ length: PAGE }, (_, n) => from + n);

describe('pages of the archive', () => {
  it('come one behind the other, when they are asked for', async () => {
    const { pages, asked } = asking({ '': { rows: full(0), next: 'a' }, a: { rows: [90, 91], next: null } });
    await pages.more();
    expect([pages.rows.length, pages.complete, asked]).toEqual([PAGE, false, ['']]);
    await pages.more();
    expect([pages.rows.slice(PAGE), pages.complete]).toEqual([[90, 91], true]);
    await pages.more();
    expect(asked).toEqual(['', 'a']);
  });

  it('are asked on while the server has not looked through all, and say how far it is', async () => {
    const { pages, asked } = asking({
      '': { rows: [], next: 'a', looked_to_utc_ms: 9 },
      a: { rows: [1], next: 'b', looked_to_utc_ms: 5 },
      b: { rows: [2], next: null },
    });
    const seen: (number | null)[] = [];
    const work = pages.more();
    while (pages.busy) {
      seen.push(pages.lookedTo_utc_ms);
      await Promise.resolve();
    }
    await work;
    expect([pages.rows, pages.complete, asked]).toEqual([[1, 2], true, ['', 'a', 'b']]);
    expect(seen).toContain(9);
    expect(pages.lookedTo_utc_ms).toBeNull();
  });

  it('go on where they failed', async () => {
    const answers: Record<string, Answer | Error> = { '': { rows: full(0), next: 'a' }, a: new Error('away') };
    const { pages, asked } = asking(answers);
    await pages.more();
    await pages.more();
    expect([pages.failure, pages.rows.length]).toEqual([answers.a, PAGE]);
    answers.a = { rows: [7], next: null };
    await pages.more();
    expect([pages.failure, pages.rows.at(-1), asked]).toEqual([null, 7, ['', 'a', 'a']]);
  });

  it('bring nothing more when another question was asked', async () => {
    const { pages, asked } = asking({ '': { rows: [1], next: 'a', looked_to_utc_ms: 3 }, a: { rows: [2], next: null } });
    const work = pages.more();
    pages.end();
    await work;
    expect([pages.rows, asked]).toEqual([[], ['']]);
  });

  it('are asked for once at a time', async () => {
    const { pages, asked } = asking({ '': { rows: full(0), next: null } });
    await Promise.all([pages.more(), pages.more()]);
    expect(asked).toEqual(['']);
  });
});
