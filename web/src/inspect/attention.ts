/** Which rooms need a look first, and what each one's state is called. Pure; the wall sorts and filters by it. */

export type RoomState = 'offline' | 'alarm' | 'not-recording' | 'live' | 'paused' | 'idle';

export interface Attended {
  address: string;
  online: boolean;
  court_name: string;
  room_name: string;
  hearing: { state: string; case?: { case_no?: string; title?: string; cause?: string } } | null;
  recorder: {
    hearing?: string | null;
    tracks?: readonly { kept?: boolean; state?: string }[];
    alarms?: readonly unknown[];
  } | null;
  /** of the room itself, between hearings too, such as one that is over and not sealed */
  alarms?: readonly unknown[];
  /** what the center itself noticed, such as a planned hearing that is not recorded */
  center_alarms?: readonly unknown[];
}

/** An open hearing of which some track is not being kept: the worst that can happen unseen. */
export function notRecording(room: Attended): boolean {
  if (!room.online || room.hearing === null || room.hearing.state !== 'open') return false;
  const tracks = room.recorder?.tracks ?? [];
  return tracks.length === 0 || tracks.some((t) => t.state === 'failed') || !tracks.some((t) => t.kept);
}

/** A part of the hearing that must not be seen: the room sends no picture, and an older one is not shown in its place. */
export function behindClosedDoors(room: { hearing: { pause?: string | null; hidden?: boolean } | null } | null): boolean {
  if (room?.hearing?.hidden === true) return true; // not for who is signed in
  return room?.hearing?.pause === 'closed_evidence' || room?.hearing?.pause === 'mediation';
}

/** The one word for a room's state; the first that applies in the order of urgency. */
export function roomState(room: Attended): RoomState {
  if (room.center_alarms?.length) return 'alarm';
  if (!room.online) return 'offline';
  if (notRecording(room)) return 'not-recording';
  if ((room.recorder?.alarms?.length ?? 0) + (room.alarms?.length ?? 0) > 0) return 'alarm';
  if (room.hearing !== null && room.hearing.state === 'open') return 'live';
  if (room.hearing !== null && room.hearing.state === 'paused') return 'paused';
  return 'idle';
}

const ORDER: readonly RoomState[] = ['alarm', 'offline', 'not-recording', 'live', 'paused', 'idle'];

/** Needs-attention first; an offline room in which a hearing was open stands before all others. */
export function byAttention(a: Attended, b: Attended): number {
  return rank(a) - rank(b) || a.address.localeCompare(b.address);
}

function rank(room: Attended): number {
  const state = roomState(room);
  const cutOff = state === 'offline' && room.hearing !== null && room.hearing.state !== 'closed';
  return cutOff ? -1 : ORDER.indexOf(state);
}

export interface Filter {
  /** court part of the address; empty: all */
  court: string;
  state: RoomState | '';
  text: string;
}

/** Does the room pass the filter? Text is looked for in names, address and case. */
export function passes(room: Attended, filter: Filter): boolean {
  if (filter.court !== '' && courtOf(room.address) !== filter.court) return false;
  if (filter.state !== '' && roomState(room) !== filter.state) return false;
  const wanted = filter.text.trim().toLowerCase();
  if (wanted === '') return true;
  const c = room.hearing?.case;
  return [room.address, room.court_name, room.room_name, c?.case_no, c?.title, c?.cause]
    .some((part) => part?.toLowerCase().includes(wanted));
}

/** `court` of `court/room`. */
export function courtOf(address: string): string {
  return address.split('/', 1)[0] ?? '';
}

export interface Placed {
  address: string;
  visible: boolean;
  state: RoomState;
}

/** Rooms whose tiles show moving picture: on the screen, online, at most `most`, in the order of the wall. */
export function liveTiles(tiles: readonly Placed[], most = 9): string[] {
  return tiles.filter((t) => t.visible && t.state !== 'offline').slice(0, most).map((t) => t.address);
}
