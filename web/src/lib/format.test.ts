import { expect, it } from 'vitest';
import { age, bytes, duration, sinceOpening } from './format';

it('writes durations past a day and never below zero', () => {
  expect(duration(754_999)).toBe('00:12:34');
  expect(duration(90_000_000)).toBe('25:00:00');
  expect(duration(-5)).toBe('00:00:00');
});

it('writes sizes and ages with their unit', () => {
  expect(bytes(999)).toBe('999 B');
  expect(bytes(1_449_000)).toBe('1.4 MB');
  expect(bytes(250_000_000_000)).toBe('250 GB');
  expect([age(1999), age(180_000), age(7_200_000)]).toEqual(['1 s', '3 min', '2 h']);
});

it('counts from the opening, and back from it in the pre-roll', () => {
  expect([sinceOpening(5000), sinceOpening(0), sinceOpening(-1), sinceOpening(-4200)]).toEqual([
    '00:00:05',
    '00:00:00',
    '−00:00:01',
    '−00:00:05',
  ]);
});
