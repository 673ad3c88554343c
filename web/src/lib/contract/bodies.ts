// Written by tools/make_contract.py from Python's types: change those, and run it again.

/** Body of `open`. The center asks little of it: a hearing that is open must be known there. */
export interface OpenBody {
  case?: Case;
  seats?: Seat[];
  tracks?: TrackInfo[];
  court?: string;
  room?: string;
  court_name?: string;
  room_name?: string;
  /** Where the record begins, in a room that keeps a pre-roll (预录). */
  from_ms?: number;
  selftest?: OpenedSelfTest;
  /** Who did it, where it was not the clerk: `api`, a system of the court. So it is in the bodies below. */
  by?: string;
  /** Which clerk it was, where one was signed in as a person. So it is wherever it stands. */
  who?: WhoActed;
}

/** What the hearing is about, as the docket or the clerk said it. */
export interface Case {
  /** Of the docket, else of the hearing. */
  id: string;
  case_no: string;
  cause: string;
  title: string;
  /** role -> names */
  parties: Record<string, string>;
  public: boolean;
  /**
   * Of `sync.cases`. With it come the next six, as the kind said them on that day; older events have none.
   */
  kind?: string;
  /** Of the set phrases: 民事, 刑事, 行政 or none. */
  branch?: string;
  /** In the order in which the court names them. */
  roles?: string[];
  /** Those of them who belong to the court, in the order in which they sign. */
  bench?: string[];
  /** Heading of the transcript: 听证笔录. */
  paper?: string;
  /** What has to be said in it: of each, one of these wordings. */
  notices?: string[][];
  /** Kinds of marks that are buttons at the panel. */
  marks?: string[];
  procedure?: 'ordinary' | 'simplified';
  vocabulary?: Record<string, string[]>;
}

/** A seat of the room; `channel` is its microphone. */
export interface Seat {
  id: string;
  role: string;
  roles?: string[];
  channel?: number;
}

/** A track that the hearing is to have. */
export interface TrackInfo {
  id: string;
  kind: 'video' | 'audio';
  name: string;
}

/**
 * Whether a passed self-test counted, the number of its event, and what the clerk opened it with all the same.
 */
export interface OpenedSelfTest {
  passed: boolean;
  number: number | null;
  despite: string[];
}

/** Their id at the center, and their name as it was. */
export interface WhoActed {
  person: string;
  name: string;
}

/** Body of `pause`. */
export interface PauseBody {
  reason: 'recess' | 'closed_evidence' | 'mediation';
  by?: string;
  who?: WhoActed;
}

/** Body of `resume`. */
export interface ResumeBody {
  by?: string;
  who?: WhoActed;
}

/** Body of `close`. */
export interface CloseBody {
  by?: string;
  who?: WhoActed;
}

/** Body of `segment`: a closed file; `file` is relative to the hearing's folder. */
export interface SegmentBody {
  track: string;
  index: number;
  file: string;
  bytes: number;
  sha256: string;
  /** Not in hearings of before it was taken. */
  sm3?: string;
  from_ms: number;
  to_ms: number;
  fragments?: number;
  mime?: string;
}

/** Body of `gap`: media of a track that does not exist. */
export interface GapBody {
  track: string;
  from_ms: number;
  to_ms: number;
  why: string;
}

/** Body of `alarm`; `cleared` when it is over. */
export interface AlarmBody {
  code: string;
  subject: string;
  text: string;
  cleared?: boolean;
}

/** Body of `clock`; `by_ms` 0 is no step: it only says what UTC is worth. */
export interface ClockBody {
  source: string;
  error_ms: number | null;
  by_ms: number;
}

/** Body of `utterance`; `voice` is "" where the voices of a seat are not told apart. */
export interface UtteranceBody {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  confidence?: number | null;
  voice?: string;
  words?: SpokenWord[] | null;
}

/** A word as the engine aligned it. */
export interface SpokenWord {
  text: string;
  start_ms?: number;
  end_ms?: number;
  probability: number;
}

/** Body of `revision`: one act of one writer, which counts whole or not at all. */
export interface RevisionBody {
  id: string;
  act: string;
  by: 'clerk' | 'corrector';
  /** Of the panel. */
  tab?: string | null;
  name?: string | null;
  reason?: string | null;
  /** A revision's id. */
  undoes?: string | null;
  changes: LineChange[];
  voice?: NamedVoice | null;
  who?: WhoActed;
}

/** One of: a `new` line, or something about a `line` at the version that its writer has seen (`base`). */
export interface LineChange {
  line?: string;
  base?: number;
  set?: LineSettings;
  propose?: Proposal[];
  new?: InsertedLine;
}

/** What a change sets on a line; a key that is not said is not set. */
export interface LineSettings {
  text?: string;
  role?: string;
  seat?: string;
  struck?: boolean;
  doubtful?: boolean;
  gone?: string;
  start_ms?: number;
  end_ms?: number;
}

export interface Proposal {
  at: number;
  length: number;
  from: string;
  to: string;
  why?: string;
  confidence?: number | null;
}

/** A line that was not there; it comes after line `after`, or by its time. */
export interface InsertedLine {
  id: string;
  after?: string;
  seat?: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  voice?: string;
  source?: string;
}

/** Which role speaks with a voice of a seat. */
export interface NamedVoice {
  seat: string;
  voice: string;
  role: string;
}

/** Body of `check`: the clerk let a finding of the checks stand, or took that back. */
export interface CheckBody {
  id: string;
  ignored?: boolean;
  line?: string;
  kind?: string;
  text?: string;
  who?: WhoActed;
}

/** Body of `transcript`: the words, by their hash, as they are laid before those who sign. */
export interface TranscriptBody {
  id: string;
  version: number;
  sha256: string;
  lines: number;
  /** The number of the last event that they are the fold of. */
  through: number;
  who?: WhoActed;
}

/** Body of `objection`: a line is not what was said, and what came of it. */
export interface ObjectionBody {
  id: string;
  line?: string | null;
  text: string;
  by: ObjectingPerson;
  wants?: string | null;
  outcome: 'corrected' | 'refused';
  reason?: string | null;
  /** Its id, when corrected. */
  revision?: string | null;
  replayed_from_ms?: number | null;
  replayed_to_ms?: number | null;
}

/** Who objects. */
export interface ObjectingPerson {
  role: string;
  name?: string;
}

/** Body of `signature`; the strokes are personal data (`server.events.redaction`). */
export interface SignatureBody {
  id: string;
  /** Of which words; who is only expected, or was not there, says nothing about any. */
  transcript: string;
  role: string;
  name: string;
  act: 'sign' | 'refuse' | 'expect' | 'absent';
  reason?: string | null;
  /** Width and height of the pad. */
  size?: number[] | null;
  /** x and y are 0…1 of the size. */
  strokes?: number[][][] | null;
}

/**
 * Body of `document`: a file that was made of signed words; `file` is relative to the hearing's folder.
 */
export interface DocumentBody {
  id: string;
  transcript: string;
  kind: 'docx' | 'pdf' | 'srt' | 'vtt' | 'json';
  file: string;
  bytes: number;
  sha256: string;
  sm3?: string;
}

/** Body of `exhibit`; its file is named by its content. */
export interface ExhibitBody {
  id: string;
  number: number;
  title: string;
  filename: string;
  media_type: string;
  sha256: string;
  bytes: number;
  pages: number;
  /** Not in hearings of before it was taken. */
  sm3?: string;
  /** What was done to show it, in Chinese; not there when it is shown as it is. The file itself is kept. */
  converted?: string;
  who?: WhoActed;
}

/** Body of `drawn`: pictures of pages of an exhibit, which are what is shown of it everywhere. */
export interface DrawnBody {
  exhibit: string;
  /** SHA-256 of the exhibit's file: where the pictures lie. */
  of: string;
  pictures: DrawnPicture[];
}

/** The picture of a page (from 1) at a scale (1, 2 or 4), a JPEG of `width` x `height` pixels. */
export interface DrawnPicture {
  page: number;
  scale: number;
  width: number;
  height: number;
  bytes: number;
  sha256: string;
}

/** Body of `present`: `zoom` is 1 or more, `x` and `y` are the point of the page in the middle, 0…1. */
export interface PresentBody {
  exhibit: string;
  page: number;
  zoom: number;
  x: number;
  y: number;
  who?: WhoActed;
}

/** Body of `withdraw`. */
export interface WithdrawBody {
  who?: WhoActed;
}

/** Body of `mark`. */
export interface MarkBody {
  id: string;
  kind: string;
  text: string;
  who?: WhoActed;
}

/**
 * Body of `mute`: no sound and no captions are broadcast live. It is no privacy: record and transcript go on.
 */
export interface MuteBody {
  muted: boolean;
  by: string;
}

/**
 * Body of `sealed_part`: a stretch of the hearing is not for everybody's sight; the record keeps all of it.
 */
export interface SealedPartBody {
  id: string;
  from_ms: number;
  to_ms: number | null;
  level: 'restricted' | 'withdrawn';
  by: string;
  reason: string;
  who?: WhoActed;
}

/** Body of `replacement`: who agreed that the recording stands for the 笔录. */
export interface ReplacementBody {
  consents: string[];
  who?: WhoActed;
}

/** Body of `seal`: the tree before it, and what the record holds. */
export interface SealBody {
  index: number;
  leaves: number;
  /** hex */
  root: string;
  words_complete: boolean;
  tracks: Record<string, SealedTrack>;
  pauses: number;
  pause_ms: number;
  utterances: number;
  revisions: number;
  exhibits: number;
  presentations: number;
  marks: number;
  opened_utc_ms: number | null;
  closed_utc_ms: number | null;
}

/** What a seal says of one track. */
export interface SealedTrack {
  segments: number;
  bytes: number;
  media_ms: number;
  gaps: number;
  gap_ms: number;
}

/**
 * Body of `selftest`, which belongs to no hearing; said again when the clerk has looked at a camera's picture.
 */
export interface SelfTestBody {
  id: string;
  mode: 'tone' | 'speech';
  at_ms: number;
  passed: boolean;
  seats: Record<string, SelfTestedBody>;
  cameras: Record<string, SelfTestedBody>;
  mix: SelfTestedBody;
  server: SelfTestedBody;
  /** camera -> what was seen in it; no camera that nobody has looked at. */
  views?: Record<string, CameraViewBody>;
  /** When the test was over, where the event was said later. */
  tested_utc_ms?: number;
}

/** What a self-test found of one device; `ok` null: not proven, and in nobody's way. */
export interface SelfTestedBody {
  ok: boolean | null;
  why: string;
}

/** Which seats the clerk saw in a camera's picture, and when. */
export interface CameraViewBody {
  seats: string[];
  utc_ms: number;
}

/**
 * Body of `access`, which belongs to no hearing: somebody looked at a record in the room, took it along, signed in
 * or was refused; or the room keeps a head of the center's audit log.
 */
export interface AccessBody {
  what: 'export' | 'verify' | 'sign-in' | 'sign-out' | 'view' | 'viewed' | 'act' | 'acted' | 'refused' | 'failed' | 'audit-head' | 'audit-back';
  hearing?: string;
  excerpt?: boolean;
  reason?: string;
  role?: string;
  address?: string;
  /** The route, what it was answered with, how often and how long. */
  detail?: Record<string, unknown>;
  /** The head as the center signed it, countersigned by this device. */
  note?: string;
}

/** What each kind of event says. */
export interface Bodies {
  open: OpenBody;
  pause: PauseBody;
  resume: ResumeBody;
  close: CloseBody;
  segment: SegmentBody;
  gap: GapBody;
  alarm: AlarmBody;
  clock: ClockBody;
  utterance: UtteranceBody;
  revision: RevisionBody;
  check: CheckBody;
  transcript: TranscriptBody;
  objection: ObjectionBody;
  signature: SignatureBody;
  document: DocumentBody;
  exhibit: ExhibitBody;
  drawn: DrawnBody;
  present: PresentBody;
  withdraw: WithdrawBody;
  mark: MarkBody;
  mute: MuteBody;
  sealed_part: SealedPartBody;
  replacement: ReplacementBody;
  seal: SealBody;
  selftest: SelfTestBody;
  access: AccessBody;
}

/** A durable event; it belongs to no hearing where `hearing` is null. */
export type RoomEvent = {
  [Kind in keyof Bodies]: {
    number: number;
    hearing: string | null;
    kind: Kind;
    room_ms: number;
    utc_ms: number;
    body: Bodies[Kind];
  };
}[keyof Bodies];

/** An event of one kind. */
export type EventOf<Kind extends keyof Bodies> = Extract<RoomEvent, { kind: Kind }>;

/** Where UTC comes from, and by how much it may be off; null where nobody knows. */
export interface UtcSource {
  source: string;
  error_ms: number | null;
}
