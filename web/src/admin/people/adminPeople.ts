/** What the pages ask of the center about courts and people, and the words that both use. */

import { api } from '../../lib/api';
import type {
  ChangedCourt,
  ChangedPerson,
  CourtListed,
  CourtsListed,
  NewCourt,
  NewPerson,
  PeopleListed,
  PersonListed,
  PostListed,
  ShownSessions,
  SignUpCode,
} from '../../lib/types';

export type PersonRole = PostListed['role'];
export type CourtLevel = CourtListed['level'];

export const PERSON_ROLES: readonly PersonRole[] = ['clerk', 'judge', 'presiding', 'inspector', 'leader', 'archivist', 'administrator', 'auditor'];
export const COURT_LEVELS: readonly CourtLevel[] = ['supreme', 'province', 'city', 'district', ''];

/** 三权分立: what a role may do; one person's posts are all of one power. */
export type Power = 'sees' | 'manages' | 'audits';

export function powerOf(role: PersonRole): Power {
  if (role === 'administrator') return 'manages';
  return role === 'auditor' ? 'audits' : 'sees';
}

const court = (slug: string): string => `/api/admin/courts/${encodeURIComponent(slug)}`;
const person = (id: string): string => `/api/admin/people/${encodeURIComponent(id)}`;

export const adminPeople = {
  courts: (query: URLSearchParams): Promise<CourtsListed> => api.get(`/api/admin/courts?${query}`),
  addCourt: (filled: NewCourt): Promise<CourtListed> => api.post('/api/admin/courts', filled),
  changeCourt: (slug: string, filled: ChangedCourt): Promise<CourtListed> => api.patch(court(slug), filled),
  removeCourt: (slug: string): Promise<void> => api.delete(court(slug)),
  list: (query: URLSearchParams): Promise<PeopleListed> => api.get(`/api/admin/people?${query}`),
  one: (id: string): Promise<PersonListed> => api.get(person(id)),
  add: (filled: NewPerson): Promise<PersonListed> => api.post('/api/admin/people', filled),
  change: (id: string, filled: ChangedPerson): Promise<PersonListed> => api.patch(person(id), filled),
  lock: (id: string): Promise<PersonListed> => api.post(`${person(id)}/lock`),
  sessions: (id: string): Promise<ShownSessions> => api.get(`${person(id)}/sessions`),
  endSession: (id: string, session: string): Promise<void> => api.delete(`${person(id)}/sessions/${encodeURIComponent(session)}`),
  /** For somebody who has no way to sign in yet. */
  signUpCode: (id: string): Promise<SignUpCode> => api.post(`${person(id)}/sign-up-code`),
  unlock: (id: string): Promise<PersonListed> => api.post(`${person(id)}/unlock`),
};
