/** What the pages ask of the center about rooms, their devices and their health. */

import { api } from '../../lib/api';
import type { IssuedCode, RoomListed, RoomsListed, ToldProfile } from '../../lib/types';

const room = (address: string): string => `/api/admin/rooms/${address.split('/').map(encodeURIComponent).join('/')}`;

export const adminRooms = {
  list: (query: URLSearchParams): Promise<RoomsListed> => api.get(`/api/admin/rooms?${query}`),
  one: (address: string): Promise<RoomListed> => api.get(room(address)),
  add: (filled: { court: string; room: string; room_name: string }): Promise<RoomListed> => api.post('/api/admin/rooms', filled),
  rename: (address: string, room_name: string): Promise<RoomListed> => api.patch(room(address), { room_name }),
  code: (address: string): Promise<IssuedCode> => api.post(`${room(address)}/code`),
  move: (address: string, force: boolean): Promise<IssuedCode> => api.post(`${room(address)}/move`, { force }),
  stay: (address: string): Promise<RoomListed> => api.delete(`${room(address)}/move`),
  takeBack: (address: string): Promise<RoomListed> => api.post(`${room(address)}/return`),
  retire: (address: string, force: boolean): Promise<RoomListed> => api.post(`${room(address)}/retire`, { force }),
  profile: (address: string): Promise<ToldProfile> => api.get(`${room(address)}/profile`),
};

/** How far a room has come: its code is taken on a machine, the machine is enrolled, and it stands on the wall. */
export type RoomStep = 'waiting' | 'enrolled' | 'live';

export function stepOf(row: Pick<RoomListed, 'state' | 'online'>): RoomStep {
  if (row.state === 'planned') return 'waiting';
  return row.online ? 'live' : 'enrolled';
}
