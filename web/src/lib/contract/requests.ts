// Written by tools/make_contract.py from Python's types: change those, and run it again.

import type { Level } from './center';
import type { PauseReason } from './record';

/**
 * Body of `POST /api/sign-in`; `password` is the one-time code where somebody comes for the first time.
 */
export interface LoginAndPassword {
  login: string;
  password: string;
}

/** Body of `POST /api/sign-in/first`. */
export interface NewFirst {
  code: string;
  login: string;
  name: string;
  password: string;
}

/** Body of `POST /api/admin/acts`. */
export interface NewAct {
  kind: 'reset-factor' | 'leave-court';
  person: string;
  why: string;
}

/** Open a planned hearing. */
export interface FromDocket {
  docket_id: string;
  despite?: string[];
}

/** Open a hearing that is not on the docket. */
export interface NewHearing {
  case_no: string;
  cause?: string;
  title?: string;
  parties?: Record<string, string>;
  vocabulary?: Record<string, string[]>;
  public?: boolean;
  kind?: string;
  procedure?: 'ordinary' | 'simplified';
  despite?: string[];
}

/** Why a hearing is paused: the three of the law and no other. */
export interface NewPause {
  reason: PauseReason;
}

/** Who agrees that the recording stands for the 笔录, by name. */
export interface Consents {
  consents: string[];
}

/** A page of an exhibit, and which part of it. */
export interface NewView {
  exhibit: string;
  page?: number;
  zoom?: number;
  x?: number | null;
  /** The point of the page in the middle; not said: from its beginning on. */
  y?: number | null;
}

/** A note at this moment. */
export interface NewMark {
  kind: string;
  text?: string;
}

/** Begin a self-test. */
export interface NewTest {
  /** Ask each seat to speak, although there is a loudspeaker. */
  speak?: boolean;
}

/** Which seats the clerk sees in a camera's picture. */
export interface NewCameraView {
  camera: string;
  seats: string[];
}

/** One act of the clerk. */
export interface NewRevision {
  id: string;
  act: 'edit' | 'split' | 'merge' | 'speaker' | 'insert' | 'phrase' | 'strike' | 'restore' | 'doubt' | 'accept' | 'objection';
  tab: string;
  reason?: string;
  changes: (SetChange | NewChange)[];
  reopen?: boolean;
}

/** A change of a line. */
export interface SetChange {
  line: string;
  base: number;
  set: NewSettings;
}

/** What can be set on a line; what is not said stays. */
export interface NewSettings {
  text?: string | null;
  role?: string | null;
  seat?: string | null;
  struck?: boolean | null;
  doubtful?: boolean | null;
  gone?: '' | 'merged' | 'withdrawn' | null;
  start_ms?: number | null;
  end_ms?: number | null;
}

/** An insertion. */
export interface NewChange {
  new: NewLine;
}

/** A line that was not there. */
export interface NewLine {
  id: string;
  after?: string;
  seat?: string;
  role: string;
  start_ms: number;
  end_ms: number;
  text: string;
  source?: 'typed' | 'phrase' | 'split';
  voice?: string;
}

/** Who speaks with the voice of a line. */
export interface NewVoice {
  id: string;
  tab: string;
  line: string;
  role: string;
  reopen?: boolean;
}

/** Take back an act. */
export interface NewUndo {
  id: string;
  tab: string;
  revision?: string;
  reopen?: boolean;
}

/**
 * The day's first sign-in; `totp` is a code of the app or a recovery code, asked for when it is needed.
 */
export interface ClerkCredentials {
  login: string;
  password: string;
  totp?: string;
}

/** Who comes in by a PIN. */
export interface PinEntry {
  person: string;
  pin: string;
}

/** A PIN of who is in. */
export interface NewPin {
  pin: string;
}

/** Lay the words before those who sign. */
export interface Final {
  id: string;
  /** Although words may still come. */
  despite?: boolean;
}

/** What one person does about the words of `transcript` (their hash). */
export interface NewSignature {
  id: string;
  transcript?: string;
  role: string;
  name?: string;
  act: 'sign' | 'refuse' | 'expect' | 'absent';
  reason?: string;
  /** Of the pad, in CSS pixels: says how wide against how high. */
  size?: [number, number] | null;
  strokes?: [number, number, number, number][][];
}

/**
 * Somebody says that a line is not what was said; times in milliseconds of room time, of what was played.
 */
export interface NewObjection {
  id: string;
  line: string;
  /** The line as it was objected to; as it is now where it is left out. */
  text?: string;
  by: Objector;
  wants: string;
  outcome: 'corrected' | 'refused';
  reason?: string;
  revision?: string;
  replayed_from_ms?: number | null;
  replayed_to_ms?: number | null;
}

/** Who objects. */
export interface Objector {
  role: string;
  name?: string;
}

/** Body of a change of level: why is kept with it. */
export interface NewLevel {
  level: Level;
  reason: string;
}

/**
 * Body of a sealing: times of the hearing in milliseconds; no end: until somebody says that it is over.
 */
export interface NewSealedPart {
  from_ms: number;
  to_ms: number | null;
  level: 'restricted' | 'withdrawn';
  reason: string;
}

/** Body of a lifting: why is kept with it. */
export interface Lifting {
  reason: string;
}

/** Which part of the hearing is sealed: the last seconds, and what comes from now on, or both. */
export interface StretchToSeal {
  back_s?: number;
  goes_on?: boolean;
  reason: string;
}

/** Body of a grant. */
export interface NewGrant {
  role: string;
  name: string;
  hours?: number;
}

/** Which center, or none. What the center says by itself need not be said. */
export interface ChosenCenter {
  alone?: boolean;
  /**
   * What was carried here from the center: `https://center:8800/#CODE.FINGERPRINT`, or without the address.
   */
  carried?: string;
  url?: string;
  court?: string;
  room?: string;
  court_name?: string;
  room_name?: string;
  broker?: string;
}

/** All that makes the profile, beside the center that was said before. */
export interface SetupChoices {
  cameras: ChosenCamera[];
  microphones: ChosenMicrophones | null;
  seats: ChosenSeat[];
  /** The camera in whose place the one of `cameras` comes. */
  replaces?: string;
}

/** A camera that was found or typed, and what it is called in the room. */
export interface ChosenCamera {
  candidate: string;
  name: string;
}

/** An input device by its name. */
export interface ChosenMicrophones {
  name: string;
  channels: number;
}

/** Who speaks into which channel. */
export interface ChosenSeat {
  role: string;
  channel: number;
}

/** Body of `POST /api/setup/cameras`: an RTSP address that somebody typed. */
export interface TypedCamera {
  url: string;
  user?: string;
  password?: string;
}

/** Body of `POST /api/setup/cameras/{id}/picture`: an account, where it is another than before. */
export interface CameraAccount {
  user?: string | null;
  password?: string | null;
}

/** Body of `POST /api/admin/courts`. */
export interface NewCourt {
  slug: string;
  name: string;
  level: 'supreme' | 'province' | 'city' | 'district' | '';
  parent: string | null;
}

/** Body of `PATCH /api/admin/courts/{slug}`; what is null stays as it is. */
export interface ChangedCourt {
  name?: string | null;
  level?: 'supreme' | 'province' | 'city' | 'district' | '' | null;
  parent?: string | null;
}

/** Body of `POST /api/admin/people`. */
export interface NewPerson {
  login: string;
  name: string;
  court: string;
  posts: NewPost[];
}

/** A role at a court. */
export interface NewPost {
  role: string;
  court: string;
}

/** Body of `PATCH /api/admin/people/{id}`; what is null stays as it is. */
export interface ChangedPerson {
  name?: string | null;
  court?: string | null;
  posts?: NewPost[] | null;
}

/** Body of `POST /api/admin/rooms`; without `room` the center makes a short name. */
export interface NewRoom {
  court: string;
  room?: string;
  room_name: string;
}

/** Body of `PATCH /api/admin/rooms/{court}/{room}`. */
export interface RenamedRoom {
  room_name: string;
}

/** Body of an act that may cut a machine off from what it still holds. */
export interface ForcedAct {
  force?: boolean;
}

/** Body of `POST /api/admin/devices/{id}/revoke`. */
export interface RevokedDevice {
  why: string;
}
