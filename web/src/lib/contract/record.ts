// Written by tools/make_contract.py from Python's types: change those, and run it again.

import type { Case, NamedVoice, ObjectingPerson, Proposal, Seat, TrackInfo } from './bodies';

/** A hearing as the screens get it (`sync.record.milliseconds`). */
export interface Hearing {
  id: string;
  state: HearingState;
  opened_ms: number;
  opened_utc_ms: number;
  recorded_from_ms: number;
  closed_ms: number | null;
  case: Case;
  seats: Seat[];
  tracks: TrackInfo[];
  pauses: Pause[];
  exhibits: Exhibit[];
  presentations: Presentation[];
  marks: Mark[];
  gaps: Gap[];
  segments: Segment[];
  alarms: HearingAlarm[];
  clock_steps: SteppedClock[];
  /** Sound and captions do not leave the room live. */
  live_muted: boolean;
  sealed: Seal | null;
  /** Stretches that are not for everybody's sight (封存区段). */
  sealed_parts: SealedPart[];
  /** Who agreed that the recording stands for the 笔录; nobody: it does not. */
  replaced_by_consent_of: string[];
  last_number: number;
  /** Every line of the transcript in the order of reading, those too that are `gone`. */
  utterances: Line[];
  /** Findings of the checks that the clerk lets stand. */
  ignored: string[];
  /** Which role speaks with a voice, as the clerk has said. */
  voices: NamedVoice[];
  /** What is on the screens now. */
  presented: Presentation | null;
}

/** Where a hearing is between 宣布开庭 and 闭庭. */
export type HearingState = 'open' | 'paused' | 'closed';

/** A lawful interruption. */
export interface Pause {
  from_ms: number;
  to_ms: number | null;
  reason: 'recess' | 'closed_evidence' | 'mediation';
}

/** A piece of evidence as it was added; its file is named by its content. */
export interface Exhibit {
  id: string;
  number: number;
  title: string;
  filename: string;
  media_type: string;
  sha256: string;
  bytes: number;
  pages: number;
  /** Empty in hearings of before it was taken. */
  sm3: string;
  /** What was done to the file to show it; empty when it is shown as it is. */
  converted: string;
  /** How many of its pages have a picture; 0 in hearings of before there were any. */
  drawn: number;
}

/** One exhibit, page and view on the screens of the room. */
export interface Presentation {
  from_ms: number;
  to_ms: number | null;
  exhibit: string;
  page: number;
  zoom: number;
  x: number;
  y: number;
}

/** A note of the clerk at a moment. */
export interface Mark {
  id: string;
  at_ms: number;
  kind: string;
  text: string;
}

/** Media of `track` that does not exist, and why. */
export interface Gap {
  from_ms: number;
  to_ms: number;
  track: string;
  why: string;
}

/** A closed file of the record. */
export interface Segment {
  track: string;
  index: number;
  file: string;
  bytes: number;
  sha256: string;
  from_ms: number;
  to_ms: number;
  /** Empty in hearings of before it was taken. */
  sm3: string;
}

/** Something a person must know; `cleared_ms` is null while it is so. */
export interface HearingAlarm {
  code: string;
  subject: string;
  text: string;
  raised_ms: number;
  cleared_ms: number | null;
}

/** A step of UTC against room time, and when it was noticed. */
export interface SteppedClock {
  source: string;
  error_ms: number | null;
  by_ms: number;
  at_ms: number;
}

/** The last seal (封存) of a hearing. */
export interface Seal {
  at_utc_ms: number;
  index: number;
  leaves: number;
  /** hex, of the tree before it */
  root: string;
  words_complete: boolean;
  /** How many words came after it, which the next seal will cover. */
  late: number;
}

/**
 * A stretch of room time [from, to) that not everybody may see; `to_ms` None: until it is said to be over.
 */
export interface SealedPart {
  id: string;
  from_ms: number;
  to_ms: number | null;
  level: 'restricted' | 'withdrawn';
  by: string;
  reason: string;
  /** When it was said. */
  at_utc_ms: number;
}

/**
 * A line of the transcript: words that one speaker said, or that the clerk wrote; never silently changed.
 */
export interface Line {
  id: string;
  seat: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  confidence: number | null;
  /** Which of a seat's voices spoke, where they are told apart. */
  voice: string;
  /**
   * `speech`, `typed`, `phrase` (a set phrase of procedure), `split` (off another line), or `sealed`: of a line
   * that may not be read nothing is there but its times.
   */
  source: 'speech' | 'typed' | 'phrase' | 'split' | 'sealed';
  /** The number of the event that made this version: what a writer names as `base`. */
  revision: number;
  /** When its first version was written down; what was said was said at `start_ms`. */
  written_utc_ms: number;
  /** A clerk has had a hand in it. */
  touched: boolean;
  struck: boolean;
  doubtful: boolean;
  /** Why it is no line any more: `merged` into another or `withdrawn` (an insertion that was undone). */
  gone: string;
  /** [from, to) of what the engine was not sure of. */
  unsure: [number, number][];
  /** What the corrector would change. */
  proposals: Proposal[];
  /** All of them, the first one too, once there is more than one. */
  versions: Version[];
}

/** One version of a line, and what it set; the first has no `id`: it was no revision. */
export interface Version {
  text?: string;
  role?: string;
  seat?: string;
  struck?: boolean;
  doubtful?: boolean;
  gone?: string;
  start_ms?: number;
  end_ms?: number;
  /** Of the event that made it. */
  number: number;
  id?: string;
  utc_ms: number;
  /** `engine`, `clerk` or `corrector`. */
  by: string;
  act: string;
  reason?: string;
  /** The act did not count. */
  void?: boolean;
}

/** A day of one room. */
export interface Docket {
  /** A day that there is: one that there is not would never be missed when it was not recorded. */
  date: string;
  hearings: DocketEntry[];
}

/** One planned hearing. */
export interface DocketEntry {
  case_no: string;
  cause: string;
  title: string;
  parties: Record<string, string>;
  vocabulary: Record<string, string[]>;
  public: boolean;
  kind: string;
  procedure: 'ordinary' | 'simplified';
  id: string;
  time: string;
}

/**
 * The record is proven up to `witnessed_leaves`; `refused` is the code of what the center would not witness.
 */
export interface Integrity {
  /** Of the room only; null in one that has no center. */
  enrolled?: boolean | null;
  witnessed_leaves: number;
  witnessed_utc_ms: number | null;
  refused: string | null;
  stamped: boolean;
}

/**
 * Somebody who signs, and what they did about the words that were laid before them, without the strokes.
 */
export interface Signer {
  role: string;
  name: string;
  /** A judge or the clerk: has to sign. */
  bench: boolean;
  state: 'waiting' | 'signed' | 'refused' | 'absent';
  reason: string;
  at_utc_ms: number | null;
  signature: string | null;
}

/** Somebody said that a line is not what was said; the clerk played it and corrected, or refused to. */
export interface Objection {
  id: string;
  line: string;
  text: string;
  by: ObjectingPerson;
  wants: string;
  outcome: string;
  reason: string;
  revision: string;
  replayed_from_ms: number | null;
  replayed_to_ms: number | null;
  at_utc_ms: number;
}

/** A file that was made of signed words; `file` is relative to the hearing's folder. */
export interface SignedDocument {
  id: string;
  transcript: string;
  kind: string;
  file: string;
  bytes: number;
  sha256: string;
  sm3: string;
  at_utc_ms: number;
}

/** A stretch that may not be seen, as a screen gets it; `to_ms` null: without end. */
export interface UnseenSpan {
  from_ms: number;
  to_ms: number | null;
}

/** The draft of 情况说明 as the screens get it: `text` to show and copy, and what it was made from. */
export interface Explanation {
  title: string;
  blanks: string[];
  hearing: string;
  court_name: string;
  room_name: string;
  case_no: string;
  cause: string;
  running: boolean;
  from_ms: number;
  to_ms: number | null;
  missing_ms: number;
  missing: MissingMedia[];
  faults: Fault[];
  text: string;
}

/** Media of one track that does not exist, without the lawful pauses. */
export interface MissingMedia {
  track: string;
  name: string;
  from_ms: number;
  to_ms: number;
  why: string;
  /** Names of the tracks that do exist throughout this time. */
  remaining: string[];
}

/** An alarm that touched the record; `to_ms` is null when it was not over at the end. */
export interface Fault {
  code: string;
  subject: string;
  name: string;
  text: string;
  from_ms: number;
  to_ms: number | null;
}

/** The only three reasons for which the law lets a recording be interrupted (法释〔2017〕5号, art. 3). */
export type PauseReason = 'recess' | 'closed_evidence' | 'mediation';
