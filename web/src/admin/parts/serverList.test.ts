import { expect, it } from 'vitest';
import { firstOf, lastPage, ServerList, sortedBy, type ListAnswer } from './serverList.svelte';

type Waiting = { query: URLSearchParams; answer: (answer: ListAnswer<number>) => void; refuse: (error: Error) => void };

function list(): { list: ServerList<number>; asked: Waiting[] } {
  const asked: Waiting[] = [];
  const made = new ServerList<number>((query) => new Promise((answer, refuse) => asked.push({ query, answer, refuse })));
  return { list: made, asked };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

it('asks for the page that the address names, at the beginning of a page', async () => {
  const { list: one, asked } = list();
  void one.load(new URLSearchParams('q=张&sort=-name&offset=70&court='));
  expect(`${asked[0]?.query}`).toBe(`${new URLSearchParams('q=张&sort=-name&offset=50&limit=50')}`);
  asked[0]?.answer({ total: 120, rows: [1, 2] });
  await settled();
  expect(one).toMatchObject({ rows: [1, 2], total: 120, offset: 50, busy: false, known: true });
});

it('throws away an answer that another question has overtaken', async () => {
  const { list: one, asked } = list();
  void one.load(new URLSearchParams('q=a'));
  void one.load(new URLSearchParams('q=ab'));
  asked[1]?.answer({ total: 1, rows: [2] });
  await settled();
  asked[0]?.answer({ total: 1, rows: [1] });
  await settled();
  expect(one.rows).toEqual([2]);
});

it('goes to the last page that there is when rows were removed behind the one that was asked for', async () => {
  const { list: one, asked } = list();
  void one.load(new URLSearchParams('offset=150'));
  asked[0]?.answer({ total: 120, rows: [] });
  await settled();
  expect(asked[1]?.query.get('offset')).toBe('100');
  asked[1]?.answer({ total: 120, rows: [9] });
  await settled();
  expect(one).toMatchObject({ rows: [9], offset: 100 });
});

it('keeps the page before while it says what failed', async () => {
  const { list: one, asked } = list();
  void one.load(new URLSearchParams());
  asked[0]?.answer({ total: 1, rows: [1] });
  await settled();
  void one.load(new URLSearchParams());
  asked[1]?.refuse(new Error('away'));
  await settled();
  expect(one.rows).toEqual([1]);
  expect(one.failure).toBeInstanceOf(Error);
});

it('sorts by a column, and the other way round at the second touch', () => {
  expect(sortedBy('name', 'login')).toBe('login');
  expect(sortedBy('login', 'login')).toBe('-login');
  expect(sortedBy('-login', 'login')).toBe('login');
});

it('knows where pages begin', () => {
  expect(lastPage(0)).toBe(0);
  expect(lastPage(50)).toBe(0);
  expect(lastPage(51)).toBe(50);
  for (const odd of ['-1', 'x', '1e99', '']) expect(firstOf(new URLSearchParams({ offset: odd }))).toBe(0);
});
