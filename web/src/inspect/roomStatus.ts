/** What state a room is in, in the order of urgency. Pure look-ups. */

export type RoomStatus = 'offline' | 'alarm' | 'not-recording' | 'live' | 'paused' | 'idle' | 'unknown';

export interface ObservedRoom {
  address: string;
  online: boolean;
  /** False: the center has not heard the room yet, which does not mean that it is away. */
  known?: boolean;
  court_name: string;
  room_name: string;
  hearing: { state: string; case?: { case_no?: string; title?: string; cause?: string } } | null;
  recorder: {
    hearing?: string | null;
    tracks?: readonly { kept?: boolean; state?: string }[];
    alarms?: readonly unknown[];
  } | null;
  /** Alarms of the room itself, also between hearings, such as a closed hearing that is not sealed. */
  alarms?: readonly unknown[];
  /** Alarms that the center itself raises, such as a scheduled hearing that is not recorded. */
  center_alarms?: readonly unknown[];
}

/** An open hearing of which some track is not being kept: the worst that can happen unseen. */
export function notRecording(room: ObservedRoom): boolean {
  if (!room.online || room.hearing === null || room.hearing.state !== 'open') return false;
  const tracks = room.recorder?.tracks ?? [];
  return tracks.length === 0 || tracks.some((t) => t.state === 'failed') || !tracks.some((t) => t.kept);
}

/** A part of the hearing that must not be seen: the room sends no picture, and an older one is not shown in its place. */
export function behindClosedDoors(room: { hearing: { pause?: string | null; hidden?: boolean } | null } | null): boolean {
  if (room?.hearing?.hidden === true) return true; // not for who is signed in
  return room?.hearing?.pause === 'closed_evidence' || room?.hearing?.pause === 'mediation';
}

/** Why nothing of a room is shown just now, as a text of the screens; '' while something is. */
export function withheldNow(
  room: { hearing: { pause?: string | null; hidden?: boolean; part_sealed?: boolean } | null } | null,
): '' | 'tile.closedDoors' | 'part.state' {
  if (behindClosedDoors(room)) return 'tile.closedDoors';
  return room?.hearing?.part_sealed === true ? 'part.state' : '';
}

/** The state of a room: the first that applies, in the order of urgency. */
export function roomStatus(room: ObservedRoom): RoomStatus {
  if (room.center_alarms?.length) return 'alarm';
  if (!room.online) return room.known === false ? 'unknown' : 'offline';
  if (notRecording(room)) return 'not-recording';
  if ((room.recorder?.alarms?.length ?? 0) + (room.alarms?.length ?? 0) > 0) return 'alarm';
  if (room.hearing !== null && room.hearing.state === 'open') return 'live';
  if (room.hearing !== null && room.hearing.state === 'paused') return 'paused';
  return 'idle';
}
