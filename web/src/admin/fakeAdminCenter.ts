/** For tests: the center's routes of administration, as far as a page needs them, answered from memory. */

import type { CourtListed, PersonListed } from '../lib/types';
import { vi } from 'vitest';

interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

type Answer = { status?: number; body: unknown };

export class FakeAdminCenter {
  readonly asked: Asked[] = [];
  courts: CourtListed[] = [
    { slug: 'hlj', name: '黑龙江省高级人民法院', level: 'province', parent: null, depth: 0, people: 0 },
    { slug: 'sys', name: '双鸭山市中级人民法院', level: 'city', parent: 'hlj', depth: 1, people: 0 },
    { slug: 'js', name: '尖山区人民法院', level: 'district', parent: 'sys', depth: 2, people: 0 },
  ];
  people: PersonListed[] = [];
  /** Answers by "METHOD path" that come before those of the lists. */
  answers: Record<string, (asked: Asked) => Answer> = {};
  role = 'administrator';
  /** Whether shared codes open it. */
  codes = false;

  constructor() {
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => Promise.resolve(this.#answer(path, init)));
  }

  /** What was asked of a route, the newest last. */
  of(method: string, path: string): Asked[] {
    return this.asked.filter((one) => one.method === method && one.path === path);
  }

  #answer(whole: string, init: RequestInit): Response {
    const url = new URL(whole, 'http://center');
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : init.body;
    const asked = { method: init.method ?? 'GET', path: url.pathname, query: url.searchParams, body };
    this.asked.push(asked);
    const named = this.answers[`${asked.method} ${asked.path}`];
    const { status = 200, body: said } = named ? named(asked) : this.#listed(asked);
    return new Response(JSON.stringify(said), { status });
  }

  #listed({ method, path, query }: Asked): Answer {
    if (method === 'GET' && path === '/api/session') return { body: { role: this.role, name: '周敏' } };
    if (method === 'GET' && path === '/api/sign-in/ways') return { body: { codes: this.codes } };
    if (method === 'GET' && path === '/api/admin/courts') return { body: paged(this.courts, query, (court) => court.name + court.slug) };
    if (method === 'GET' && path === '/api/admin/people') return { body: paged(this.people, query, (person) => person.name + person.login) };
    const one = this.people.find(({ id }) => path === `/api/admin/people/${id}`);
    if (method === 'GET' && one) return { body: one };
    return { status: 404, body: { code: 'not-found', message: '没有找到 (not found)' } };
  }
}

function paged<Row>(rows: Row[], query: URLSearchParams, words: (row: Row) => string): { total: number; rows: Row[] } {
  const found = rows.filter((row) => words(row).includes(query.get('q') ?? ''));
  const offset = Number(query.get('offset') ?? 0);
  return { total: found.length, rows: found.slice(offset, offset + Number(query.get('limit') ?? 50)) };
}

export function somebody(number: number, more: Partial<PersonListed> = {}): PersonListed {
  return {
    id: `p${number}`, login: `user${number}`, name: `人员${number}`, court: 'js', court_name: '尖山区人民法院', posts: [{ role: 'clerk', court: 'js' }],
    state: 'active', source: 'local', seen_utc_ms: null, shares_name: false, factors: ['password', 'totp'], ...more,
  };
}
