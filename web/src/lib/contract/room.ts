// Written by tools/make_contract.py from Python's types: change those, and run it again.

import type { Case, RoomEvent, Seat, UtcSource } from './bodies';
import type { Docket, Exhibit, Hearing, HearingState, Integrity, Line, Objection, SignedDocument, Signer, UnseenSpan } from './record';
import type { LostMessage } from './session';

/** `GET /api/state` of a room. A part is null until its service has spoken. */
export interface RoomState {
  room: RoomName;
  now_ms: number;
  utc_ms: number;
  seats: Seat[];
  cameras: CameraName[];
  /** The one that was opened last, closed or not. */
  hearing: Hearing | null;
  docket: Docket | null;
  recorder: RecorderStatus | null;
  transcriber: TranscriberStatus | null;
  link: Link | null;
  integrity: Integrity | null;
  alarms: Alarm[];
  selftest: SelfTestState | null;
  signing: SigningState | null;
  checks: CheckFinding[];
  captions: Caption[];
  speaking: string[];
  /**
   * What of the hearing this session may not see; its `sealed_parts` are all that is sealed, seen or not.
   */
  unseen: UnseenSpan[];
}

/** Which room this is. */
export interface RoomName {
  court: string;
  room: string;
  court_name: string;
  room_name: string;
}

/** A camera of the room. */
export interface CameraName {
  id: string;
  name: string;
}

/** The recorder, once a second and on a change. */
export interface RecorderStatus {
  at_ms: number;
  tracks: TrackStatus[];
  hearing: string | null;
  disk: DiskStatus;
  clock: UtcSource;
  /** Null where the profile names no second copy. */
  copy: CopyStatus | null;
  readback: ReadbackStatus;
  alarms: Alarm[];
  /** A recorder of before makes none. */
  tile?: TileStatus;
}

/** A track as the recorder has it now. */
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
  /** Why it does not run; null while there is nothing to say. */
  why: string | null;
  /** The device's own code for it (`password`, `path`, `codec`, `refused` …), where it has one. */
  fault?: string;
  /** Pictures a second, measured; null for sound, and while too little was seen. */
  fps?: number | null;
  /** Seconds from one key frame to the next, measured. */
  key_s?: number | null;
  /** About as much, where it keeps whoever begins waiting; it changes seldom. */
  long_keys_s?: number | null;
}

/** The volume of the record. */
export interface DiskStatus {
  free_bytes: number;
  hours_left: number;
  /** The longest that the volume let a write wait in the last minute. */
  longest_wait_ms: number;
}

/** The second copy of the record; `why` is what holds it up. */
export interface CopyStatus {
  target: string;
  pending_files: number;
  pending_bytes: number;
  why: string | null;
}

/** Closed files that were read and decoded again. */
export interface ReadbackStatus {
  checked: number;
  longest_s: number;
}

/**
 * Something that is wrong now: `code` is the kind, `subject` a track, seat or hearing, `text` for people.
 */
export interface Alarm {
  code: string;
  subject: string;
  text: string;
  since_ms: number;
}

/** The room's small picture, which is there for whoever asks for the track `tile`. */
export interface TileStatus {
  /** The camera that it shows; null while none runs. */
  of: string | null;
  /** Why there is none just now; null while it can be asked for. */
  why: string | null;
}

/** The speech model; `hearings` are those of which words may still come. */
export interface TranscriberStatus {
  state: 'loading' | 'ready' | 'catching-up' | 'failed' | 'off';
  lag_ms: number;
  why: string;
  hearings?: string[];
}

/** The room's way to the center. */
export interface Link {
  broker: boolean;
  center: boolean;
  pending_events: number;
  pending_bytes: number;
  /** Of those that are pending: the center does not take them, and they stay in the room. */
  refused_events: number;
  last_receipt_utc_ms: number | null;
  watched: string[];
  trust: 'ok' | 'not-enrolled' | 'twice' | 'refused' | 'clock' | 'plain';
}

/** 设备自检: the test that runs, else the last one, and whether it counts. */
export interface SelfTestState {
  id: string;
  mode: 'tone' | 'speech';
  seats: Record<string, TestFinding>;
  cameras: Record<string, TestFinding>;
  mix: TestFinding;
  server: TestFinding;
  views: Record<string, ShownCameraView>;
  state: 'none' | 'running' | 'passed' | 'failed' | 'expired';
  stage: '' | 'keeping' | 'speaking' | 'proving' | 'sending';
  /** 0…1 */
  progress: number;
  /** Why no test could be made. */
  failure: string;
  opening: 'required' | 'advise';
  /** `selftest` when no test counts; else `seat/…`, `camera/…`, `mix`, `server`. */
  hindrances: string[];
  at_utc_ms: number | null;
  until_utc_ms: number | null;
}

/** What is known of one device. */
export interface TestFinding {
  state: 'waiting' | 'heard' | 'ok' | 'warn' | 'failed';
  why: string;
}

/** Which seats the clerk saw in a camera's picture, and when. */
export interface ShownCameraView {
  seats: string[];
  at_utc_ms: number;
}

/** `GET /api/transcript/signing`. */
export interface SigningState {
  hearing: string;
  transcript: LaidWords | null;
  people: Signer[];
  objections: Objection[];
  documents: SignedDocument[];
  /** Whether words may still come. */
  words: WordsStill;
  complete: boolean;
  /** How much of a document is made, 0…1. */
  making: number | null;
  /** Why no document can be made. */
  failure: string;
  /** Kinds that could not be made, while others were; they are tried again. */
  failures: ShownFailure[];
  /** What the PDF will not have, said before anybody signs. */
  unprinted: ShownUnprinted[];
}

/** What was laid before people; `current`: these are the words of now. */
export interface LaidWords {
  id: string;
  version: number;
  sha256: string;
  lines: number;
  through: number;
  at_utc_ms: number;
  current: boolean;
}

/** What the room knows of its transcriber. */
export type WordsStill = 'done' | 'busy' | 'absent';

/** Why a kind of document could not be made. */
export interface ShownFailure {
  kind: 'docx' | 'pdf' | 'srt' | 'vtt' | 'json';
  why: string;
}

/** A character that no font of this machine has: the PDF shows 〓 and `code` in its place. */
export interface ShownUnprinted {
  character: string;
  code: string;
  /** The first of them. */
  places: ShownPaperPlace[];
  /** How many further places. */
  more: number;
}

/**
 * Where on the paper something stands: the line's id, or none and what stands before it (案号, a role and name).
 */
export interface ShownPaperPlace {
  line: string;
  label: string;
}

export interface CheckFinding {
  id: string;
  kind: 'name' | 'amount' | 'date' | 'statute' | 'pair' | 'doubled' | 'blank' | 'notice' | 'proposal';
  line: string;
  at: number;
  length: number;
  from: string;
  to: string | null;
  why: string;
  also: ShownPlace | null;
  ignored: boolean;
}

/** A place in a line, in characters. */
export interface ShownPlace {
  line: string;
  at: number;
  length: number;
}

/** Replaces the caption of the same id; an utterance of that id ends it; empty text withdraws it. */
export interface Caption {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  /** How many leading characters will not change any more. */
  stable: number;
  /** Of which hearing it is; said on the way to the center. */
  hearing?: string | null;
}

/**
 * The first message of the panel's WebSocket, and again whenever the session may see more or less than before.
 */
export interface PanelState {
  room: RoomName;
  now_ms: number;
  utc_ms: number;
  seats: Seat[];
  cameras: CameraName[];
  hearing: Hearing | null;
  docket: Docket | null;
  recorder: RecorderStatus | null;
  transcriber: TranscriberStatus | null;
  link: Link | null;
  integrity: Integrity | null;
  alarms: Alarm[];
  selftest: SelfTestState | null;
  signing: SigningState | null;
  checks: CheckFinding[];
  captions: Caption[];
  speaking: string[];
  unseen: UnseenSpan[];
  type: 'state';
}

/** Something durable has happened. */
export interface PanelEvent {
  type: 'event';
  event: RoomEvent;
}

/** A caption. */
export interface PanelCaption {
  type: 'caption';
  value: Caption;
}

/** Who speaks. */
export interface PanelSpeaking {
  type: 'speaking';
  value: Speaking;
}

/** The seats that speak, on a change. */
export interface Speaking {
  at_ms: number;
  seats: string[];
}

/** How loud the seats are. */
export interface PanelLevels {
  type: 'levels';
  value: Levels;
}

/** The levels of all seats, ten times a second. */
export interface Levels {
  at_ms: number;
  seats: Record<string, SeatLevel>;
}

/** How loud a seat is, in dBFS. */
export interface SeatLevel {
  peak_db: number;
  rms_db: number;
}

/** The recorder's status. */
export interface PanelRecorder {
  type: 'recorder';
  value: RecorderStatus;
}

/** The transcriber's status. */
export interface PanelTranscriber {
  type: 'transcriber';
  value: TranscriberStatus;
}

/** The way to the center. */
export interface PanelLink {
  type: 'link';
  value: Link;
}

/** How far the record is proven. */
export interface PanelIntegrity {
  type: 'integrity';
  value: Integrity;
}

/** The self-test. */
export interface PanelSelfTest {
  type: 'selftest';
  value: SelfTestState;
}

/** All alarms of the room that are on. */
export interface PanelAlarms {
  type: 'alarms';
  value: Alarm[];
}

/** Who has signed. */
export interface PanelSigning {
  type: 'signing';
  value: SigningState | null;
}

/** What the checks found. */
export interface PanelChecks {
  type: 'checks';
  value: CheckFinding[];
}

/** The day's hearings. */
export interface PanelDocket {
  type: 'docket';
  value: Docket;
}

/** One text of a WebSocket `/api/live`; `type` tells which. */
export type RoomMessage =
  | PanelState
  | PanelEvent
  | PanelCaption
  | PanelSpeaking
  | PanelLevels
  | PanelRecorder
  | PanelTranscriber
  | PanelLink
  | PanelIntegrity
  | PanelSelfTest
  | PanelAlarms
  | PanelSigning
  | PanelChecks
  | PanelDocket
  | LostMessage;

/** What the room's screen shows now. */
export interface DisplayState {
  court_name: string;
  room_name: string;
  case: Case | null;
  state: HearingState | null;
  recording: boolean;
  presented: WallPresentation | null;
  captions: WallCaption[];
  /** What goes on just now is sealed: neither words nor exhibits are shown. */
  part_sealed: boolean;
  /** So it is of the whole hearing, as the center has said. */
  withheld: boolean;
  utc_ms: number;
}

/** The exhibit on the wall, and which part of it. */
export interface WallPresentation {
  exhibit: Exhibit;
  page: number;
  zoom: number;
  x: number;
  y: number;
  from_ms: number;
  to_ms: number | null;
}

/** One of the last two things that were said. */
export interface WallCaption {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
}

/** `GET /api/kinds`. */
export interface ShownKinds {
  kinds: ShownKind[];
  year: number;
  /** Code of this court, by the numbers of its cases; empty where none is known yet. */
  court: string;
}

/** A kind of case, for the form. */
export interface ShownKind {
  id: string;
  name: string;
  english: string;
  types: string[];
  title: string;
  public: boolean;
  cause: string;
  cause_english: string;
  cause_required: boolean;
  causes: string[];
  marks: string[];
  /** Those that are asked for, in their order. */
  roles: ShownRole[];
}

/** What somebody is in a case. */
export interface ShownRole {
  name: string;
  english: string;
  required: boolean;
  asked: boolean;
}

/** `GET /api/kinds/number`: what a number says, or what is wrong with it. */
export interface ReadNumber {
  kind: string | null;
  court: string | null;
  level: 'supreme' | 'high' | 'intermediate' | 'basic' | null;
  instance: 'first' | 'second' | 'retrial' | 'review' | 'other' | null;
  fault: NumberFault | null;
}

/** The first part of a number that is wrong. */
export interface NumberFault {
  part: 'year' | 'court' | 'type' | 'number' | 'end';
  at: number;
  message: string;
}

/** The hearing that a room tells of in its status. */
export interface LiveHearing {
  id: string;
  state: HearingState;
  pause: 'recess' | 'closed_evidence' | 'mediation' | null;
  case: Case;
  opened_utc_ms: number;
  /** Said by the center alone: it runs, and who asks may not see it. */
  hidden?: boolean;
  /** Said by the center alone: what goes on just now is in a sealed part, which who asks may not see. */
  part_sealed?: boolean;
}

/** What the panel shows who is not in, or whose panel is locked: no words, no pictures, no case. */
export interface ShownEntry {
  court_name: string;
  room_name: string;
  /** `open`, `paused`, or null. */
  hearing: string | null;
  /** Whether the recorder keeps it, by its own word. */
  recording: boolean;
  alarms: number;
  /** Whether this room has one: persons sign in by it. */
  center: boolean;
  /** Whether persons have signed in here: the code is for emergencies. */
  persons: boolean;
  me: ShownSelf | null;
  /** Only in a browser in which somebody signed in before. */
  pins: ShownClerk[];
  lock_after_minutes: number;
}

/** Who has this panel; `person` is empty by the room's code. */
export interface ShownSelf {
  person: string;
  name: string;
  until_utc_ms: number | null;
  has_pin: boolean;
  locked: boolean;
}

/** Somebody who can come in by a PIN. */
export interface ShownClerk {
  person: string;
  name: string;
}

/** A session of who is in. */
export interface PanelSession {
  id: string;
  since_utc_ms: number;
  used_utc_ms: number;
  until_utc_ms: number | null;
  /** Whether it is the one that asks. */
  mine: boolean;
}

/** A set phrase, filled in for the case. */
export interface FilledPhrase {
  id: string;
  group: string;
  title: string;
  role: string;
  seat: string;
  cases: string[];
  /** For the kind of procedure of this case. */
  fits: boolean;
  /** Of the title in pinyin. */
  initials: string;
  text: string;
  parts: PhrasePart[];
  missing: string[];
}

/** A piece of a phrase: plain words, or a field of the case and what stands for it. */
export interface PhrasePart {
  text: string;
  field?: string;
  missing?: boolean;
}

/** `GET /api/phrases/file`. */
export interface PhraseFileAnswer {
  text: string;
  version: string;
  own: boolean;
  error: PhraseMistake | null;
  default: string;
}

/** Where a file of phrases is wrong. */
export interface PhraseMistake {
  line: number;
  column: number;
  message: string;
}

/** Answer to an act: its event, and the lines that it named as they are now. */
export interface RevisionAnswer {
  event: RoomEvent;
  lines: Line[];
}
