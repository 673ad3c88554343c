/** The lines of a transcript, who signs them and what is found in them, as docs/protocol.md lists it. */

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
