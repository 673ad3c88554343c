/** Which of a room's tracks are what. */

import { unplayable } from './live/codecNames';
import type { RecorderStatus, TileStatus, TrackStatus } from './types';

/** The composed picture (合成画面). */
const PROGRAM = 'program';
/** Ends the name of a track that is made of a camera's H.265 for browsers that cannot play it. */
const COMPATIBLE = '-h264';
/** The room's small picture for walls (小画面), which is no part of the record. */
const TILE = 'tile';

type Coded = Pick<TrackStatus, 'id' | 'mime' | 'state' | 'long_keys_s'>;

/** Cameras and microphones: what must be kept. The composed picture may be off, and then has an alarm of its own. */
export function devicesOf(status: Pick<RecorderStatus, 'tracks'> | null): TrackStatus[] {
  return (status?.tracks ?? []).filter((track) => track.id !== PROGRAM && !track.id.endsWith(COMPATIBLE));
}

/** About so many seconds are between key frames of a track that runs, where that keeps whoever begins waiting; else null. */
export function keysApart(status: { tracks: readonly Coded[] } | null | undefined, id: string): number | null {
  return status?.tracks.find((track) => track.id === id && track.state === 'running')?.long_keys_s ?? null;
}

/** Which track shows a camera here: its own, or the one made of it where this browser cannot play its own. */
export function shownTrack(
  status: { tracks: readonly Coded[] } | null,
  id: string,
  cannot: (mime: string) => string = unplayable,
): string {
  const tracks = status?.tracks ?? [];
  const own = tracks.find((track) => track.id === id);
  const made = tracks.find((track) => track.id === id + COMPATIBLE && track.state === 'running');
  return own !== undefined && made !== undefined && cannot(own.mime) !== '' ? made.id : id;
}

/** The track of a room's small picture; null where it makes none: a recorder of before, no camera, no time for it. */
export function tileTrack(recorder: { tile?: TileStatus } | null): string | null {
  const tile = recorder?.tile;
  return tile === undefined || tile.of === null || tile.why !== null ? null : TILE;
}

/** Which track shows a camera at the center: as in its room, or its small picture where that alone can be played here. */
export function shownAfar(
  status: { tracks: readonly Coded[]; tile?: TileStatus } | null,
  id: string,
  cannot: (mime: string) => string = unplayable,
): string {
  const shown = shownTrack(status, id, cannot);
  const own = status?.tracks.find((track) => track.id === shown);
  return own === undefined || cannot(own.mime) === '' || status?.tile?.of !== id ? shown : (tileTrack(status) ?? shown);
}
