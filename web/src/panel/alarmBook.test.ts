import { expect, it } from 'vitest';
import { AlarmBook } from './alarmBook.svelte';

const frozen = { code: 'frozen', subject: 'bench', text: '画面静止', since_ms: 1 };

it('keeps an alarm that ended until it was seen', () => {
  const book = new AlarmBook();
  book.set([frozen]);
  book.set([]);
  expect(book.unseen.map((a) => a.active)).toEqual([false]);
  book.see('frozen/bench');
  expect(book.list).toEqual([]);
});

it('counts a seen alarm as active until it ends, and calls again when it comes back', () => {
  const book = new AlarmBook();
  book.set([frozen]);
  book.see('frozen/bench');
  book.set([frozen]);
  expect([book.unseen.length, book.active.length]).toEqual([0, 1]);
  book.set([]);
  expect(book.list).toEqual([]);
  book.set([frozen]);
  expect(book.unseen.length).toBe(1);
});
