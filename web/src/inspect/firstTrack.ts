import { shownAfar } from '../lib/tracks';
import type { WallRoom } from '../lib/types';
import { parseRoute } from './address';
import { withheldNow } from './roomStatus';

/** The address (`court/room/track`) of the picture with which a room's page begins; null where it begins with none. */
export function firstTrack(room: WallRoom | undefined): string | null {
  if (room === undefined || !room.online || withheldNow(room) !== '') return null;
  const camera = room.recorder?.tracks.find((track) => track.kind === 'video');
  return camera === undefined ? null : `${room.address}/${shownAfar(room.recorder, camera.id)}`;
}

/** The same for the room that is in the page's address, where one is. */
export function addressedTrack(rooms: readonly WallRoom[]): string | null {
  const route = parseRoute(window.location.hash);
  return route.page === 'room' ? firstTrack(rooms.find((room) => room.address === route.address)) : null;
}
