/** What the center says of its rooms and hearings, as docs/protocol.md lists it. */

import type { TranscriptSignatures } from './transcriptSignatures';
import type {
  Alarm,
  Caption,
  Case,
  Hearing,
  HearingState,
  Integrity,
  Levels,
  PauseReason,
  RecorderStatus,
  RoomEvent,
  Seat,
  TrackInfo,
} from './types';

export type Level = 'open' | 'restricted' | 'sealed';

/** `GET /api/rooms` of the center. */
export interface WallRoom {
  address: string;
  online: boolean;
  court_name: string;
  room_name: string;
  /** hidden: it runs, and who asks may not see it */
  hearing: { id: string; state: HearingState; pause?: PauseReason | null; case: Case; opened_utc_ms: number; hidden?: boolean } | null;
  recorder: RecorderStatus | null;
  alarms?: Alarm[];
  speaking: string[];
  seats: Seat[];
  seen_utc_ms: number | null;
  /** what the center itself noticed of the room */
  center_alarms?: { code: string; text: string }[];
}

export interface HearingRow {
  id: string;
  room: string;
  court_name: string;
  room_name: string;
  case: Case;
  state: HearingState;
  opened_utc_ms: number;
  closed_utc_ms: number | null;
  duration_ms: number | null;
  access?: Level;
}

export interface PlayableTrack extends TrackInfo {
  mime: string;
  ranges: [number, number][];
}

export interface HearingRecord extends Omit<Hearing, 'tracks'> {
  room: string;
  access?: Level;
  court_name?: string;
  room_name?: string;
  /** room time now; null when it is over or the room is not online */
  now_ms?: number | null;
  integrity?: Integrity;
  signing?: TranscriptSignatures;
  tracks: PlayableTrack[];
}

export interface SearchHit {
  hearing: string;
  utterance: string;
  role: string;
  start_ms: number;
  text: string;
  case: Case;
  room_name: string;
  opened_utc_ms: number;
  opened_ms: number;
}

/** `WS /api/live` of the center. `utc_ms` is the center's clock when it sent the list. */
export type CenterMessage =
  | { type: 'rooms'; rooms: WallRoom[]; utc_ms?: number }
  | { type: 'room'; room: WallRoom }
  | { type: 'caption'; room: string; value: Caption }
  | { type: 'levels'; room: string; value: Levels }
  | { type: 'event'; room: string; value: RoomEvent }
  | { type: 'link'; value: { broker: boolean } }
  | { type: 'lost'; address: string };
