/** What the pages ask of the center about rooms, their devices and their health. */

import { api } from '../../lib/api';
import type { ListAnswer } from '../parts/serverList.svelte';

export type RoomState = 'planned' | 'enrolled' | 'retired';

export interface RoomRow {
  /** "court/room". */
  address: string;
  court: string;
  room: string;
  court_name: string;
  room_name: string;
  state: RoomState;
  online: boolean;
  /** Who added it; "configuration" for the center's file. */
  by: string;
  made_utc_ms: number;
  retired_utc_ms: number | null;
  has_device: boolean;
  /** While its machine is replaced: the old one is waited for, has sent everything, or is not waited for. */
  moving: '' | 'waits' | 'ready' | 'forced';
  /** Until when the code counts that was made last; null where none waits. */
  code_until_utc_ms: number | null;
  /** While the old machine is waited for: what it still holds; null is not known. */
  leaving: { pending_events: number | null; pending_bytes: number | null } | null;
}

export interface RoomCode {
  /** What is typed. */
  code: string;
  /** What is copied and photographed: the code with the center's address. */
  carried: string;
  until_utc_ms: number;
  /** `carried` as a picture for a camera, an SVG document. */
  qr_svg: string;
}

const room = (address: string): string => `/api/admin/rooms/${address.split('/').map(encodeURIComponent).join('/')}`;

export const adminRooms = {
  list: (query: URLSearchParams): Promise<ListAnswer<RoomRow>> => api.get(`/api/admin/rooms?${query}`),
  one: (address: string): Promise<RoomRow> => api.get(room(address)),
  add: (filled: { court: string; room: string; room_name: string }): Promise<RoomRow> => api.post('/api/admin/rooms', filled),
  rename: (address: string, room_name: string): Promise<RoomRow> => api.patch(room(address), { room_name }),
  code: (address: string): Promise<RoomCode> => api.post(`${room(address)}/code`),
  move: (address: string, force: boolean): Promise<RoomCode> => api.post(`${room(address)}/move`, { force }),
  stay: (address: string): Promise<RoomRow> => api.delete(`${room(address)}/move`),
  takeBack: (address: string): Promise<RoomRow> => api.post(`${room(address)}/return`),
  retire: (address: string, force: boolean): Promise<RoomRow> => api.post(`${room(address)}/retire`, { force }),
  profile: (address: string): Promise<{ profile_toml: string; utc_ms: number }> => api.get(`${room(address)}/profile`),
};

/** How far a room has come: its code is taken on a machine, the machine is enrolled, and it stands on the wall. */
export type RoomStep = 'waiting' | 'enrolled' | 'live';

export function stepOf(row: Pick<RoomRow, 'state' | 'online'>): RoomStep {
  if (row.state === 'planned') return 'waiting';
  return row.online ? 'live' : 'enrolled';
}
