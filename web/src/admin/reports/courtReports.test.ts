import { expect, it } from 'vitest';
import { barsOf, lastDays, mostOf } from './courtReports';

const day = (recorded: number, not_recorded: number): { day: string; recorded: number; not_recorded: number } => ({ day: '2026-12-01', recorded, not_recorded });

it('stands one bar a day on the ground, and what was not recorded upon it', () => {
  const [bar] = barsOf([day(50, 50)], 100, 200);
  expect(bar).toMatchObject({ recordedTop: 100, recordedHeight: 100, missingTop: 0, missingHeight: 100 });
});

it('shows one hearing that was not recorded on the fullest day', () => {
  const bars = barsOf([day(999, 1), day(0, 0)], 100, 200);
  expect(bars[0]?.missingHeight).toBe(4);
  expect(bars[0]?.missingTop).toBeGreaterThanOrEqual(0);
  expect(bars[1]).toMatchObject({ recordedHeight: 0, missingHeight: 0 });
});

it('ends its scale at a number that people count in', () => {
  expect([[], [day(0, 0)], [day(7, 0)], [day(11, 0)], [day(30, 25)]].map((days) => mostOf(days))).toEqual([1, 1, 10, 20, 100]);
});

it('counts days by the calendar, over the ends of months', () => {
  expect(lastDays(new Date(2026, 2, 1), 2)).toEqual({ from: '2026-02-28', to: '2026-03-01' });
});
