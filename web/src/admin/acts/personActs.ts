/** Acts of two persons: what one administrator asks for, another confirms. */

import { api } from '../../lib/api';
import type { ShownAct, ShownActs } from '../../lib/types';

export type ActKind = 'reset-factor' | 'leave-court';

export const personActs = {
  /** The newest acts, all that the center tells at once: searched and paged here. */
  async list(query: URLSearchParams): Promise<ShownActs> {
    const { rows } = await api.get<ShownActs>('/api/admin/acts');
    const [q, state, offset] = [query.get('q') ?? '', query.get('state') ?? '', Number(query.get('offset') ?? 0)];
    const found = rows.filter((row) => row.person_name.includes(q) && (state === '' || row.state === state));
    return { total: found.length, rows: found.slice(offset, offset + Number(query.get('limit') ?? found.length)) };
  },
  ask: (kind: ActKind, person: string, why: string): Promise<ShownAct> => api.post('/api/admin/acts', { kind, person, why }),
  confirm: (id: string): Promise<ShownAct> => api.post(`/api/admin/acts/${encodeURIComponent(id)}/confirm`),
  refuse: (id: string): Promise<ShownAct> => api.post(`/api/admin/acts/${encodeURIComponent(id)}/refuse`),
};
