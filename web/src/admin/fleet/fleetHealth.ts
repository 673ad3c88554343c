/** How well the rooms are: what the center knows of each machine, and what of it is a worry. */

import { api } from '../../lib/api';
import type { Fleet, FleetRow } from '../../lib/types';

export type FleetState = FleetRow['state'];
export const FLEET_STATES: readonly FleetState[] = ['alarm', 'offline', 'warning', 'planned', 'ok'];

export const fleetHealth = (query: URLSearchParams): Promise<Fleet> => api.get(`/api/admin/fleet?${query}`);

/** The part of the disk that is free, 0…1; null where the room has not said. */
export function freeOf(row: Pick<FleetRow, 'disk_free_bytes' | 'disk_bytes'>): number | null {
  return row.disk_free_bytes === null || row.disk_bytes === null || row.disk_bytes <= 0 ? null : Math.min(1, Math.max(0, row.disk_free_bytes / row.disk_bytes));
}

const DAY_MS = 86_400_000;

/** Whole days until a moment, from now on; negative when it has passed. */
export const daysUntil = (utc_ms: number, now_ms: number): number => Math.floor((utc_ms - now_ms) / DAY_MS);

export interface Share {
  state: FleetState;
  count: number;
  from: number;
  width: number;
}

/** The states' parts of a bar of `width`, each at least `least` wide so that one room among a thousand is seen. */
export function sharesOf(counts: Readonly<Record<FleetState, number>>, width: number, least = 6): Share[] {
  const some = FLEET_STATES.filter((state) => counts[state] > 0);
  const all = some.reduce((sum, state) => sum + counts[state], 0);
  const free = width - some.length * least;
  let from = 0;
  return some.map((state) => {
    const share = { state, count: counts[state], from, width: least + (free * counts[state]) / all };
    from += share.width;
    return share;
  });
}
