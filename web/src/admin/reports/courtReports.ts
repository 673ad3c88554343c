/** What the reports count, and the picture that is drawn of it. */

import { api } from '../../lib/api';
import type { CourtReport, DayCount } from '../../lib/types';

export const courtReports = (query: URLSearchParams): Promise<CourtReport> => api.get(`/api/admin/reports?${query}`);

export interface DayBar {
  day: string;
  recorded: number;
  not_recorded: number;
  x: number;
  width: number;
  /** From the top of the picture: where each part of the bar begins, and how high it is. */
  recordedTop: number;
  recordedHeight: number;
  missingTop: number;
  missingHeight: number;
}

/** One bar a day, what was not recorded above what was; a day with one hearing not recorded shows at least `least`. */
export function barsOf(days: readonly DayCount[], width: number, height: number, least = 4): DayBar[] {
  const most = mostOf(days);
  const step = days.length === 0 ? width : width / days.length;
  const high = (count: number): number => (count === 0 ? 0 : Math.max(least, (count / most) * height));
  return days.map(({ day, recorded, not_recorded }, number) => {
    const missingHeight = Math.min(high(not_recorded), height);
    const recordedHeight = Math.min(high(recorded), height - missingHeight);
    const recordedTop = height - recordedHeight;
    const missingTop = recordedTop - missingHeight;
    return { day, recorded, not_recorded, x: number * step, width: step * 0.7, recordedTop, recordedHeight, missingTop, missingHeight };
  });
}

/** The top of the scale: the fullest day, rounded up to what people count in. */
export function mostOf(days: readonly DayCount[]): number {
  const most = Math.max(1, ...days.map(({ recorded, not_recorded }) => recorded + not_recorded));
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * unit).find((top) => top >= most) ?? most;
}

/** The days before `now`, `count` of them, that one included, as the first and the last. */
export function lastDays(now: Date, count: number): { from: string; to: string } {
  const first = new Date(now.getFullYear(), now.getMonth(), now.getDate() - count + 1);
  return { from: dayOf(first), to: dayOf(now) };
}

const two = (number: number): string => `${number}`.padStart(2, '0');
const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
