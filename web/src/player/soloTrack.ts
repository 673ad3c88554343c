/** One seat heard alone (听单席): the player treats it as a track of its own, which the center cuts out of the microphones'. */

import type { PlayableTrack } from '../lib/types';

const PREFIX = 'mics@';

export function soloTrack(seat: string): string {
  return PREFIX + seat;
}

/** The recorded track, and the seat that is taken out of it; "" for the whole of it. */
export function seatOfTrack(track: string): { id: string; seat: string } {
  return track.startsWith(PREFIX) ? { id: 'mics', seat: track.slice(PREFIX.length) } : { id: track, seat: '' };
}

/** The tracks with that of the seat; it reaches as far as the microphones' track does. */
export function withSolo(tracks: readonly PlayableTrack[], seat: string): PlayableTrack[] {
  const mics = tracks.find((track) => track.id === 'mics');
  return seat === '' || mics === undefined ? [...tracks] : [...tracks, { ...mics, id: soloTrack(seat) }];
}
