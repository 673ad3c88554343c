/** What the pages ask of the center about the rooms' devices. */

import { api } from '../../lib/api';
import type { ListAnswer } from '../parts/serverList.svelte';

export interface DeviceRow {
  /** Of the device's key. */
  id: string;
  address: string;
  court_name: string;
  room_name: string;
  made_utc_ms: number;
  until_utc_ms: number | null;
  revoked_utc_ms: number | null;
  /** Whether it is the one that its room works with now. */
  current: boolean;
}

export const adminDevices = {
  list: (query: URLSearchParams): Promise<ListAnswer<DeviceRow>> => api.get(`/api/admin/devices?${query}`),
  revoke: (id: string, why: string): Promise<void> => api.post(`/api/admin/devices/${encodeURIComponent(id)}/revoke`, { why }),
};
