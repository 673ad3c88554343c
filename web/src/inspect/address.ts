/**
 * Which page is open, kept in the address (`/inspect#/…`), so that a page can be reloaded, bookmarked and sent.
 *
 *     #/                       the wall
 *     #/room/court/room        a room, live
 *     #/hearing/id?t=ms        a hearing at a moment, milliseconds after it opened
 *     #/archive?q=…            the archive
 */

export type Route =
  | { page: 'wall' }
  | { page: 'room'; address: string }
  | { page: 'hearing'; id: string; at_ms: number | null }
  | { page: 'archive'; query: URLSearchParams };

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean).map(decoded);
  const query = new URLSearchParams(search);
  if (parts[0] === 'room' && parts[1] !== undefined && parts[2] !== undefined) {
    return { page: 'room', address: `${parts[1]}/${parts[2]}` };
  }
  if (parts[0] === 'hearing' && parts[1] !== undefined) {
    const t = query.get('t');
    const at_ms = t === null ? NaN : Number(t);
    return { page: 'hearing', id: parts[1], at_ms: Number.isFinite(at_ms) && at_ms >= 0 ? at_ms : null };
  }
  if (parts[0] === 'archive') return { page: 'archive', query };
  return { page: 'wall' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a hand-written address with a stray percent sign
  }
}

export const roomHref = (address: string): string => `#/room/${address.split('/').map(encodeURIComponent).join('/')}`;

export const hearingHref = (id: string, at_ms?: number): string =>
  `#/hearing/${encodeURIComponent(id)}${at_ms === undefined ? '' : `?t=${Math.max(0, Math.round(at_ms))}`}`;
