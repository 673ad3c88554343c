// Written by tools/make_contract.py from Python's types: change those, and run it again.

import type { Case, ObjectingPerson, RoomEvent, Seat, WhoActed } from './bodies';
import type { Exhibit, Gap, HearingState, Integrity, Pause, Presentation, UnseenSpan } from './record';
import type { Alarm, Caption, Levels, LiveHearing, TileStatus } from './room';
import type { LostMessage } from './session';

/**
 * All rooms, on connect and when a tab asks; `utc_ms` is the center's clock, so that a browser measures lag with
 * it, `number` 0.
 */
export interface CenterRooms {
  type: 'rooms';
  rooms: WallRoom[];
  utc_ms: number;
  /** Not told to a tab of before. */
  number?: number;
}

/** A room as a tab is told of it; `speaking` is empty for a room that the tab has not in sight. */
export interface WallRoom {
  /** court/room */
  address: string;
  online: boolean;
  /** False: nothing is known of it yet, and not that it is away. A center of before does not say it. */
  known?: boolean;
  court_name: string;
  room_name: string;
  hearing: LiveHearing | null;
  recorder: SteadyRecorder | null;
  speaking: string[];
  seats: Seat[];
  alarms: Alarm[];
  seen_utc_ms: number | null;
  center_alarms: CenterAlarm[];
}

/** What a recorder says, without counters and clocks (`server.status.steady_status`). */
export interface SteadyRecorder {
  tracks: SteadyTrack[];
  hearing: string | null;
  clock: SteadyClock;
  copy: SteadyCopy | null;
  alarms: Alarm[];
  tile?: TileStatus;
}

/** A track as the recorder has it, without counters. */
export interface SteadyTrack {
  id: string;
  kind: 'video' | 'audio';
  name: string;
  mime: string;
  state: 'starting' | 'running' | 'failed' | 'off';
  kept: boolean;
  restarts: number;
  why: string | null;
  fault?: string;
  long_keys_s?: number | null;
}

/** What the room's clock follows. */
export interface SteadyClock {
  source: string;
}

/** The second copy of the record; `why` is what holds it up. */
export interface SteadyCopy {
  target: string;
  why: string | null;
}

/** What the center itself noticed of a room. */
export interface CenterAlarm {
  code: string;
  text: string;
}

/** What is new of some rooms; `number` is one more than that of the message of this kind before. */
export interface CenterChanges {
  type: 'changes';
  number: number;
  rooms: RoomNews[];
}

/** What is new of the room with this address; what is not said is as it was. */
export interface RoomNews {
  address: string;
  online?: boolean;
  known?: boolean;
  court_name?: string;
  room_name?: string;
  hearing?: LiveHearing | null;
  recorder?: SteadyRecorder | null;
  speaking?: string[];
  seats?: Seat[];
  alarms?: Alarm[];
  seen_utc_ms?: number | null;
  center_alarms?: CenterAlarm[];
}

/** A caption of the room with this address. */
export interface CenterCaption {
  type: 'caption';
  room: string;
  value: Caption;
}

/** Levels of a room. */
export interface CenterLevels {
  type: 'levels';
  room: string;
  value: Levels;
}

/** An event of a room that is stored. */
export interface CenterEvent {
  type: 'event';
  room: string;
  value: RoomEvent;
}

/** A part of a hearing was sealed, ended or lifted: who shows the hearing asks for it anew. */
export interface CenterSealed {
  type: 'sealed';
  hearing: string;
}

/** On connect, on a change and every few seconds. */
export interface CenterLink {
  type: 'link';
  value: CenterLinked;
  /** The center's clock. */
  utc_ms: number;
}

/** Whether the center hears its broker; false: what is shown of the rooms is old. */
export interface CenterLinked {
  broker: boolean;
}

/** One text of a WebSocket `/api/live`; `type` tells which. */
export type CenterMessage =
  | CenterRooms
  | CenterChanges
  | CenterCaption
  | CenterLevels
  | CenterEvent
  | CenterSealed
  | CenterLink
  | LostMessage;

/** A row of a list of hearings, with its level (密级). */
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
  access: Level;
}

/** 密级, lowest first. */
export type Level = 'open' | 'restricted' | 'withdrawn';

/**
 * What `GET /api/hearings/{id}` says beside the hearing itself; `tracks` are those that can be played.
 */
export interface RecordedHearing {
  signing: SignedWords;
  room: string;
  court_name: string;
  room_name: string;
  access: Level;
  integrity: Integrity;
  /**
   * Room time now; null when it is over, the room is not online, or nothing is known of it (`room_known`).
   */
  now_ms: number | null;
  /**
   * False at a process of the center that does not hear the room yet: ask again. A center of before does not say
   * it.
   */
  room_known?: boolean;
  tracks: PlayableTrack[];
  /** What of it lies in sealed parts that who asks may not see. */
  unseen: UnseenSpan[];
}

/** Who signed the words of a hearing, each as its event says it. */
export interface SignedWords {
  transcripts: SaidVersion[];
  signatures: SaidSignature[];
  objections: SaidObjection[];
  documents: SaidDocument[];
}

/** What was laid before people, and when. */
export interface SaidVersion {
  id: string;
  version: number;
  sha256: string;
  lines: number;
  through: number;
  who?: WhoActed;
  at_utc_ms: number;
}

/** What somebody did; `strokes` and `size` are for the archivist alone. */
export interface SaidSignature {
  id: string;
  transcript: string;
  role: string;
  name: string;
  act: 'sign' | 'refuse' | 'expect' | 'absent';
  reason?: string | null;
  size?: number[] | null;
  strokes?: number[][][] | null;
  at_utc_ms: number;
}

/** An objection, and when. */
export interface SaidObjection {
  id: string;
  line?: string | null;
  text: string;
  by: ObjectingPerson;
  wants?: string | null;
  outcome: 'corrected' | 'refused';
  reason?: string | null;
  revision?: string | null;
  replayed_from_ms?: number | null;
  replayed_to_ms?: number | null;
  at_utc_ms: number;
}

/** A document of signed words, and when it was made. */
export interface SaidDocument {
  id: string;
  transcript: string;
  kind: 'docx' | 'pdf' | 'srt' | 'vtt' | 'json';
  file: string;
  bytes: number;
  sha256: string;
  sm3?: string;
  at_utc_ms: number;
}

/** A track, and what of it can be played already: ranges [from, to) in milliseconds of room time. */
export interface PlayableTrack {
  id: string;
  kind: 'video' | 'audio';
  name: string;
  mime: string;
  ranges: [number, number][];
  unreadable: UnreadableSpan[];
}

/** A stretch of a track that is stored and cannot be played. */
export interface UnreadableSpan {
  from_ms: number;
  to_ms: number;
  /** Nothing of its file can be played, or nothing from here on. */
  why: 'no-video' | 'damaged';
}

/** Words that were found. */
export interface SearchHit {
  hearing: string;
  utterance: string;
  role: string;
  start_ms: number;
  text: string;
  case: Case;
  room: string;
  court_name: string;
  room_name: string;
  opened_utc_ms: number;
  opened_ms: number;
}

/** A page of hearings. */
export interface ArchivedHearings {
  next: string | null;
  looked_to_utc_ms: number | null;
  hearings: HearingRow[];
  /** How many there are, said on the first page; of more than 10,000 this is what it says. */
  count: number | null;
  /** Whether there are more than `count`, or may be. */
  at_least: boolean;
}

/** A page of words that were found; those of one hearing together. */
export interface ArchivedWords {
  next: string | null;
  looked_to_utc_ms: number | null;
  hits: SearchHit[];
}

/** A grant as the archivist gets it; `code` opens it, and is said this once. */
export interface Grant {
  id: string;
  role: string;
  name: string;
  state: 'waiting' | 'open' | 'expired' | 'revoked';
  made_utc_ms: number;
  until_utc_ms: number;
  used_utc_ms: number | null;
  code?: string;
}

/** `GET /api/view`: the one hearing that was granted. */
export interface GrantedHearing {
  id: string;
  state: HearingState;
  opened_ms: number;
  opened_utc_ms: number;
  recorded_from_ms: number;
  closed_ms: number | null;
  pauses: Pause[];
  presentations: Presentation[];
  case: GrantedCase;
  seats: Seat[];
  utterances: GrantedLine[];
  exhibits: Exhibit[];
  gaps: Gap[];
  court_name: string;
  room_name: string;
  signing: SignedWords;
  /** What of it lies in sealed parts, of which a party gets nothing. */
  unseen: UnseenSpan[];
  tracks: PlayableTrack[];
  granted: GrantedRights;
}

/** What the hearing is about. */
export interface GrantedCase {
  case_no: string;
  cause: string;
  title: string;
  parties: Record<string, string>;
  public: boolean;
}

/** A line as it is now. */
export interface GrantedLine {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  source: 'speech' | 'typed' | 'phrase' | 'split' | 'sealed';
  struck: boolean;
  doubtful: boolean;
}

/** To whom the hearing was granted, and until when. */
export interface GrantedRights {
  role: string;
  name: string;
  until_utc_ms: number;
}
