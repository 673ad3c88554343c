/** Which of a room's tracks are what. */

import type { RecorderStatus, TrackStatus } from './types';

/** The composed picture (合成画面). */
const PROGRAM = 'program';
/** Ends the name of a track that is made of a camera's H.265 for browsers that cannot play it. */
const COMPATIBLE = '-h264';

/** Cameras and microphones: what must be kept. The composed picture may be off, and then has an alarm of its own. */
export function devicesOf(status: Pick<RecorderStatus, 'tracks'> | null): TrackStatus[] {
  return (status?.tracks ?? []).filter((track) => track.id !== PROGRAM && !track.id.endsWith(COMPATIBLE));
}
