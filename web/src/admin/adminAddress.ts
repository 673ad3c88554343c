/**
 * Which page of administration is open, kept in the address (`/admin#/…`), so that it can be reloaded, bookmarked and sent.
 *
 *     #/people?q=…&sort=…&offset=…   a list, as it is searched, sorted and paged
 *     #/people/id                    one person
 *     #/rooms/court/room             one room
 */

export type SectionName = 'people' | 'courts' | 'rooms' | 'fleet' | 'devices' | 'reports' | 'acts' | 'audit';

export interface AdminPlace {
  section: SectionName;
  /** What of the section is open: a person's id, a room's address, "new"; '' for the list. */
  id: string;
  query: URLSearchParams;
}

/** What each role may open, its first page first; nothing for those who see hearings. */
const OPENS: Record<string, readonly SectionName[]> = {
  administrator: ['fleet', 'people', 'acts', 'rooms', 'devices', 'courts', 'reports'],
  auditor: ['audit'],
};

export const sectionsOf = (role: string): readonly SectionName[] => OPENS[role] ?? [];

/** The place of an address; the first of `open` where it names none of them. */
export function parsePlace(hash: string, open: readonly SectionName[]): AdminPlace {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  const [name, ...rest] = path.split('/').filter(Boolean).map(plain);
  const section = open.find((one) => one === name);
  if (section !== undefined) return { section, id: rest.join('/'), query: new URLSearchParams(search) };
  return { section: open[0] ?? 'people', id: '', query: new URLSearchParams() };
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a hand-written address with a stray percent sign
  }
}

/** The address of a section, or of one thing in it; what is empty in the query is left out. */
export function placeHref(section: SectionName, id = '', query: Record<string, string> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '');
  const path = [section, ...id.split('/').filter(Boolean)].map(encodeURIComponent).join('/');
  return `#/${path}${filled.length === 0 ? '' : `?${new URLSearchParams(filled)}`}`;
}
