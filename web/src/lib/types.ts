/** What the servers say, as docs/protocol.md lists it. Times are milliseconds: room time unless the name says UTC. */

import type { CheckFinding, Line, SigningState } from './words';

export type * from './center';
export type * from './words';

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

/** The draft of 情况说明, as `sync.record.explanation` writes it. */
export interface Explanation {
  title: string;
  text: string;
  running: boolean;
  missing_ms: number;
  missing: { track: string; name: string; from_ms: number; to_ms: number; why: string; remaining: string[] }[];
  faults: { code: string; subject: string; name: string; text: string; from_ms: number; to_ms: number | null }[];
}

export interface Session {
  role: 'clerk' | 'inspector' | 'judge' | 'archivist' | 'party' | 'admin';
  name: string;
}
