/** What the pages ask of the center about the rooms' devices. */

import { api } from '../../lib/api';
import type { ListAnswer } from '../parts/serverList.svelte';

export interface DeviceRow {
  id: number;
  /** The beginning of its public key. */
  fingerprint: string;
  address: string;
  court_name: string;
  room_name: string;
  made_utc_ms: number;
  until_utc_ms: number | null;
  revoked_utc_ms: number | null;
  /** Whether it may connect. */
  current: boolean;
}

export const adminDevices = {
  list: (query: URLSearchParams): Promise<ListAnswer<DeviceRow>> => api.get(`/api/admin/devices?${query}`),
  revoke: (id: number, why: string): Promise<void> => api.post(`/api/admin/devices/${id}/revoke`, { why }),
};
