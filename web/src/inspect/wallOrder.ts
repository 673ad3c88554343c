/** How the wall sorts and filters its rooms, and which of them show moving pictures. Pure. */

import { fold } from '../lib/fold';
import { type ObservedRoom, roomStatus, type RoomStatus } from './roomStatus';

const ORDER: readonly RoomStatus[] = ['alarm', 'offline', 'not-recording', 'live', 'paused', 'idle', 'unknown'];

/** Rooms that need attention come first; a room that went offline during a hearing comes before all others. */
export function byAttention(a: ObservedRoom, b: ObservedRoom): number {
  return rank(a) - rank(b) || a.address.localeCompare(b.address);
}

function rank(room: ObservedRoom): number {
  const state = roomStatus(room);
  const cutOff = state === 'offline' && room.hearing !== null && room.hearing.state !== 'closed';
  return cutOff ? -1 : ORDER.indexOf(state);
}

export interface WallFilter {
  /** The court's part of the address; empty for all courts. */
  court: string;
  state: RoomStatus | '';
  text: string;
}

/** Whether the room passes the filter. The text is searched in names, address and case. */
export function passes(room: ObservedRoom, filter: WallFilter): boolean {
  if (filter.court !== '' && courtOf(room.address) !== filter.court) return false;
  if (filter.state !== '' && roomStatus(room) !== filter.state) return false;
  const wanted = fold(filter.text);
  if (wanted === '') return true;
  const c = room.hearing?.case;
  return [room.address, room.court_name, room.room_name, c?.case_no, c?.title, c?.cause]
    .some((part) => part !== undefined && fold(part).includes(wanted));
}

/** `court` of `court/room`. */
export function courtOf(address: string): string {
  return address.split('/', 1)[0] ?? '';
}

export interface WallTile {
  address: string;
  visible: boolean;
  state: RoomStatus;
  /** There is a small picture to show, and it may be seen. */
  small: boolean;
}

/** So many tiles move at once: one worker decodes them; of media elements each is an engine of its own. */
export const MOST_DECODED = 16;
export const MOST_PLAYED = 9;

/** Rooms whose tiles show moving picture: on the screen, online, at most `most`, in the order of the wall. */
export function liveTiles(tiles: readonly WallTile[], most: number): string[] {
  const moving = tiles.filter((t) => t.visible && t.small && t.state !== 'offline' && t.state !== 'unknown');
  return moving.slice(0, most).map((t) => t.address);
}
