/** What the pages ask of the center about courts and people, and the words that both use. */

import { api } from '../../lib/api';
import type { ListAnswer } from '../parts/serverList.svelte';

export type PersonRole = 'clerk' | 'judge' | 'presiding' | 'inspector' | 'leader' | 'archivist' | 'administrator' | 'auditor';

export const PERSON_ROLES: readonly PersonRole[] = ['clerk', 'judge', 'presiding', 'inspector', 'leader', 'archivist', 'administrator', 'auditor'];

/** 三权分立: what a role may do; one person's posts are all of one power. */
export type Power = 'sees' | 'manages' | 'audits';

export function powerOf(role: PersonRole): Power {
  if (role === 'administrator') return 'manages';
  return role === 'auditor' ? 'audits' : 'sees';
}

export interface PersonPost {
  role: PersonRole;
  court: string;
}

export const COURT_LEVELS = ['supreme', 'province', 'city', 'district', ''] as const;
export type CourtLevel = (typeof COURT_LEVELS)[number];

export interface NewCourt {
  slug: string;
  name: string;
  level: CourtLevel;
  parent: string | null;
}

export interface CourtRow extends NewCourt {
  /** How many courts are above it. */
  depth: number;
  people: number;
}

export type PersonState = 'active' | 'locked' | 'left';

export interface PersonRow {
  id: string;
  login: string;
  name: string;
  court: string;
  court_name: string;
  posts: PersonPost[];
  state: PersonState;
  source: 'local' | 'oidc' | 'ldap';
  factors: string[];
  seen_utc_ms: number | null;
  sessions: number;
}

export interface PersonSession {
  id: string;
  role: PersonRole;
  court_name: string;
  began_utc_ms: number;
  address: string;
}

export interface NewPerson {
  login: string;
  name: string;
  court: string;
  posts: PersonPost[];
}

const court = (slug: string): string => `/api/admin/courts/${encodeURIComponent(slug)}`;
const person = (id: string): string => `/api/admin/people/${encodeURIComponent(id)}`;

export const adminPeople = {
  courts: (query: URLSearchParams): Promise<ListAnswer<CourtRow>> => api.get(`/api/admin/courts?${query}`),
  addCourt: (filled: NewCourt): Promise<CourtRow> => api.post('/api/admin/courts', filled),
  changeCourt: (slug: string, filled: Omit<NewCourt, 'slug'>): Promise<CourtRow> => api.patch(court(slug), filled),
  removeCourt: (slug: string): Promise<void> => api.delete(court(slug)),
  list: (query: URLSearchParams): Promise<ListAnswer<PersonRow>> => api.get(`/api/admin/people?${query}`),
  one: (id: string): Promise<PersonRow> => api.get(person(id)),
  add: (filled: NewPerson): Promise<PersonRow> => api.post('/api/admin/people', filled),
  change: (id: string, filled: Partial<NewPerson>): Promise<PersonRow> => api.patch(person(id), filled),
  lock: (id: string): Promise<PersonRow> => api.post(`${person(id)}/lock`),
  sessions: (id: string): Promise<ListAnswer<PersonSession>> => api.get(`${person(id)}/sessions`),
  endSession: (id: string, session: string): Promise<void> => api.delete(`${person(id)}/sessions/${encodeURIComponent(session)}`),
  unlock: (id: string): Promise<PersonRow> => api.post(`${person(id)}/unlock`),
};
