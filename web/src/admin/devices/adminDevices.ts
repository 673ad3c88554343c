/** What the pages ask of the center about the rooms' devices. */

import { api } from '../../lib/api';
import type { DevicesListed } from '../../lib/types';

export const adminDevices = {
  list: (query: URLSearchParams): Promise<DevicesListed> => api.get(`/api/admin/devices?${query}`),
  revoke: (id: number, why: string): Promise<void> => api.post(`/api/admin/devices/${id}/revoke`, { why }),
};
