/** What the servers say, as docs/protocol.md lists it. Times are milliseconds: room time unless the name says UTC. */

import type { SignedWords } from '../inspect/signed';

export type HearingState = 'open' | 'paused' | 'closed';
export type PauseReason = 'recess' | 'closed_evidence' | 'mediation';
export const PAUSE_REASONS: readonly PauseReason[] = ['recess', 'closed_evidence', 'mediation'];

export interface Case {
  id: string;
  case_no: string;
  cause: string;
  title: string;
  parties: Record<string, string>;
  public: boolean;
}

export interface Seat {
  id: string;
  role: string;
  roles?: string[];
  channel?: number;
}

export interface TrackInfo {
  id: string;
  kind: 'video' | 'audio';
  name: string;
}

export interface Interval {
  from_ms: number;
  to_ms: number | null;
}

export interface Pause extends Interval {
  reason: PauseReason;
}

export interface View {
  exhibit: string;
  page: number;
  zoom: number;
  x: number;
  y: number;
}

export type Presentation = View & Interval;

export interface Gap {
  track: string;
  from_ms: number;
  to_ms: number;
  why: string;
}

/** What the corrector would change; `at` and `length` in characters. */
export interface Proposal {
  at: number;
  length: number;
  from: string;
  to: string;
  why: string;
  confidence?: number;
}

/** One version of a line and what it set; the first has no `id` (it was no revision). `void`: it did not count. */
export interface Version {
  number: number;
  id?: string;
  utc_ms: number;
  by: string;
  act: string;
  reason?: string;
  text?: string;
  role?: string;
  seat?: string;
  struck?: boolean;
  doubtful?: boolean;
  gone?: string;
  start_ms?: number;
  end_ms?: number;
  void?: boolean;
}

/** A line of the transcript (笔录). */
export interface Line {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  confidence: number | null;
  /** which of a seat's voices; "" where they are not told apart */
  voice: string;
  source: 'speech' | 'typed' | 'phrase' | 'split';
  /** the number of the event that made this version: the `base` of a change */
  revision: number;
  written_utc_ms: number;
  /** a clerk has had a hand in it */
  touched: boolean;
  struck: boolean;
  doubtful: boolean;
  /** `merged`, `withdrawn`, or "": it is there to read */
  gone: string;
  /** [from, to) of what the engine was not sure of, in characters */
  unsure: [number, number][];
  proposals: Proposal[];
  versions: Version[];
}

export interface Exhibit {
  id: string;
  number: number;
  title: string;
  filename: string;
  media_type: string;
  sha256: string;
  bytes: number;
  pages: number;
}

export interface Mark {
  id: string;
  at_ms: number;
  kind: string;
  text: string;
}

export interface Segment {
  track: string;
  index: number;
  file: string;
  bytes: number;
  sha256: string;
  from_ms: number;
  to_ms: number;
}

export interface HearingAlarm {
  code: string;
  subject: string;
  text: string;
  raised_ms: number;
  cleared_ms: number | null;
}

export interface Hearing {
  id: string;
  state: HearingState;
  opened_ms: number;
  opened_utc_ms: number;
  /** sound and captions do not leave the room live */
  live_muted?: boolean;
  recorded_from_ms: number;
  closed_ms: number | null;
  case: Case;
  seats: Seat[];
  tracks: TrackInfo[];
  pauses: Pause[];
  /** all lines of the transcript, in the order of reading; those that are `gone` among them */
  utterances: Line[];
  /** which role speaks with a voice, as the clerk has said */
  voices?: { seat: string; voice: string; role: string }[];
  /** findings of the checks that the clerk lets stand */
  ignored?: string[];
  exhibits: Exhibit[];
  presentations: Presentation[];
  marks: Mark[];
  gaps: Gap[];
  segments: Segment[];
  alarms: HearingAlarm[];
  clock_steps: Record<string, unknown>[];
  sealed: Seal | null;
  last_number: number;
  presented: Presentation | null;
}

/** The last seal (封存) of a hearing; `late`: words that came after it and are sealed again. */
export interface Seal {
  at_utc_ms: number;
  index: number;
  leaves: number;
  /** hex */
  root: string;
  words_complete: boolean;
  late: number;
}

/** How far a record is proven. `enrolled` is null in a room that has no center, and missing at the center. */
export interface Integrity {
  enrolled?: boolean | null;
  witnessed_leaves: number;
  witnessed_utc_ms: number | null;
  refused: string | null;
  stamped: boolean;
}

/** A durable event; the `*_ns` of its body are `*_ms` here. */
export interface RoomEvent {
  number: number;
  hearing: string;
  kind: string;
  room_ms: number;
  utc_ms: number;
  body: Record<string, unknown>;
}

/** A caption: replaces the one of the same id; an utterance of that id ends it; empty text withdraws it. */
export interface Caption {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  stable: number;
}

export interface Levels {
  at_ms: number;
  seats: Record<string, { peak_db: number; rms_db: number }>;
}

export interface Speaking {
  at_ms: number;
  seats: string[];
}

export interface TrackStatus {
  id: string;
  kind: 'video' | 'audio';
  name: string;
  mime: string;
  state: 'starting' | 'running' | 'failed' | 'off';
  kept: boolean;
  kept_bytes: number;
  last_fragment_ms: number | null;
  restarts: number;
  why: string;
}

export interface Alarm {
  code: string;
  subject: string;
  text: string;
  since_ms: number;
}

export interface RecorderStatus {
  at_ms: number;
  tracks: TrackStatus[];
  hearing: string | null;
  disk: { free_bytes: number; hours_left: number | null };
  clock: { source: string; error_ms: number | null };
  /** The second copy of the record; null when the profile names none. */
  copy?: { target: string; pending_files: number; pending_bytes: number; why: string | null } | null;
  alarms: Alarm[];
}

export interface TranscriberStatus {
  state: 'loading' | 'ready' | 'catching-up' | 'failed' | 'off';
  lag_ms: number;
  why: string;
}

export interface Link {
  broker: boolean;
  center: boolean;
  pending_events: number;
  pending_bytes: number;
  last_receipt_utc_ms: number | null;
  watched: string[];
}

export interface DocketEntry {
  id: string;
  time: string;
  case_no: string;
  cause: string;
  title: string;
  parties: Record<string, string>;
  public: boolean;
}

export interface Docket {
  date: string;
  hearings: DocketEntry[];
}

export interface RoomName {
  court: string;
  room: string;
  court_name: string;
  room_name: string;
}

/** `waiting` until something is known; `heard`: live, not yet found in the file; `warn`: not proven, keeps nobody. */
export interface TestFinding {
  state: 'waiting' | 'heard' | 'ok' | 'warn' | 'failed';
  why: string;
}

/** 设备自检: what every seat and camera proved before a hearing. */
export interface SelfTestState {
  id: string;
  mode: 'tone' | 'speech';
  state: 'none' | 'running' | 'passed' | 'failed' | 'expired';
  stage: '' | 'keeping' | 'speaking' | 'proving' | 'sending';
  progress: number;
  /** why no test could be made */
  failure: string;
  opening: 'required' | 'advise';
  /** `selftest` when no test counts; else `seat/…`, `camera/…`, `mix`, `server` */
  hindrances: string[];
  seats: Record<string, TestFinding>;
  cameras: Record<string, TestFinding>;
  mix: TestFinding;
  server: TestFinding;
  at_utc_ms: number | null;
  until_utc_ms: number | null;
}

/** Somebody who signs the transcript, and what they did about the words that were laid before them. */
export interface Signer {
  role: string;
  name: string;
  /** a judge or the clerk: has to sign */
  bench: boolean;
  state: 'waiting' | 'signed' | 'refused' | 'absent';
  reason: string;
  at_utc_ms: number | null;
  signature: string | null;
}

export interface Objection {
  id: string;
  line: string;
  text: string;
  by: { role: string; name: string };
  wants: string;
  outcome: 'corrected' | 'refused';
  reason: string;
  replayed_from_ms: number | null;
  replayed_to_ms: number | null;
  at_utc_ms: number;
}

export interface SigningState {
  hearing: string;
  /** what was laid before people; `current`: these are the words of now */
  transcript: { id: string; version: number; sha256: string; lines: number; at_utc_ms: number; current: boolean } | null;
  people: Signer[];
  objections: Objection[];
  documents: { id: string; kind: string; bytes: number; sha256: string; at_utc_ms: number }[];
  /** whether words may still come */
  words: 'done' | 'busy' | 'absent';
  complete: boolean;
  /** how much of a document is made, 0…1 */
  making: number | null;
  failure: string;
}

/** What the checks (文书纠错) found in a line; positions in characters. */
export interface CheckFinding {
  /** made of what was found: ignored, it stays so until its words change */
  id: string;
  kind: 'name' | 'amount' | 'date' | 'statute' | 'pair' | 'doubled' | 'blank' | 'proposal';
  line: string;
  at: number;
  length: number;
  from: string;
  /** what accepting it writes; null where only a person can say */
  to: string | null;
  why: string;
  /** the other place of a contradiction */
  also: { line: string; at: number; length: number } | null;
  ignored: boolean;
}

/** `GET /api/state` of a room. A part is null until its service has spoken. */
export interface RoomState {
  room: RoomName;
  now_ms: number;
  utc_ms: number;
  seats: Seat[];
  cameras: { id: string; name: string }[];
  hearing: Hearing | null;
  docket: Docket | null;
  recorder: RecorderStatus | null;
  transcriber: TranscriberStatus | null;
  link: Link | null;
  integrity: Integrity | null;
  selftest: SelfTestState | null;
  signing?: SigningState | null;
  checks?: CheckFinding[];
  alarms?: Alarm[];
  captions: Caption[];
  speaking: string[];
}

export type RoomMessage =
  | ({ type: 'state' } & RoomState)
  | { type: 'event'; event: RoomEvent }
  | { type: 'caption'; value: Caption }
  | { type: 'speaking'; value: Speaking }
  | { type: 'levels'; value: Levels }
  | { type: 'recorder'; value: RecorderStatus }
  | { type: 'transcriber'; value: TranscriberStatus }
  | { type: 'link'; value: Link }
  | { type: 'integrity'; value: Integrity }
  | { type: 'selftest'; value: SelfTestState }
  | { type: 'alarms'; value: Alarm[] }
  | { type: 'signing'; value: SigningState | null }
  | { type: 'checks'; value: CheckFinding[] }
  | { type: 'docket'; value: Docket };

/** What the room's screen shows now. */
export interface DisplayState {
  court_name: string;
  room_name: string;
  case: Case | null;
  state: HearingState | null;
  recording: boolean;
  presented: (View & { exhibit: Exhibit }) | null;
  captions: { id: string; role: string; text: string }[];
  utc_ms: number;
}

/** The draft of 情况说明, as `sync.explanation` writes it. */
export interface Explanation {
  title: string;
  text: string;
  running: boolean;
  missing_ms: number;
  missing: { track: string; name: string; from_ms: number; to_ms: number; why: string; remaining: string[] }[];
  faults: { code: string; subject: string; name: string; text: string; from_ms: number; to_ms: number | null }[];
}

export type Level = 'open' | 'restricted' | 'sealed';

export interface Session {
  role: 'clerk' | 'inspector' | 'judge' | 'archivist' | 'party' | 'admin';
  name: string;
}

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
  signing?: SignedWords;
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
