/** The audit log as the center pages it. */

import { api } from '../../lib/api';
import type { AuditListed } from '../../lib/types';

export const auditLog = (query: URLSearchParams): Promise<AuditListed> => api.get(`/api/admin/audit?${query}`);

/** What a line's detail says, as [name, value]; a detail that is no object is one value. */
export function detailOf(detail: string): [string, string][] {
  if (detail === '') return [];
  try {
    const said: unknown = JSON.parse(detail);
    if (said !== null && typeof said === 'object' && !Array.isArray(said)) {
      return Object.entries(said).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
    }
  } catch {
    // Lines of before, and those of machines, are plain words.
  }
  return [['', detail]];
}

/** The same in one line: what was asked for, and what became of it. */
export function detailLine(detail: string): string {
  return detailOf(detail)
    .map(([, value]) => value)
    .join(' · ');
}
