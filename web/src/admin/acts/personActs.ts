/** Acts of two persons: what one administrator asks for, another confirms. */

import { api } from '../../lib/api';
import type { ListAnswer } from '../parts/serverList.svelte';

export type ActKind = 'reset-factor' | 'leave-court';
export type ActState = 'waiting' | 'done' | 'refused' | 'expired';

export interface PersonAct {
  id: string;
  kind: ActKind;
  person: string;
  person_name: string;
  court_name: string;
  why: string;
  state: ActState;
  by_name: string;
  made_utc_ms: number;
  until_utc_ms: number;
  confirmed_by_name: string | null;
  /** Whether this administrator asked for it, and so cannot confirm it. */
  mine: boolean;
}

export const personActs = {
  list: (query: URLSearchParams): Promise<ListAnswer<PersonAct>> => api.get(`/api/admin/acts?${query}`),
  ask: (kind: ActKind, person: string, why: string): Promise<PersonAct> => api.post('/api/admin/acts', { kind, person, why }),
  confirm: (id: string): Promise<PersonAct> => api.post(`/api/admin/acts/${encodeURIComponent(id)}/confirm`),
  refuse: (id: string): Promise<PersonAct> => api.post(`/api/admin/acts/${encodeURIComponent(id)}/refuse`),
};
