// Written by tools/make_contract.py from Python's types: change those, and run it again.

/** Which ways in this center offers to a page at this address. */
export interface SignInWays {
  passkeys: boolean;
  /** What its button says; empty where there is none. */
  provider: string;
  directory: boolean;
  /** Whether shared codes of roles still open. */
  codes: boolean;
  /** Whether the center waits for its first administrator. */
  first: boolean;
  least_chars: number;
}

/** What comes next for somebody who signs in; `done`: they are in. */
export interface SignInStep {
  step: 'done' | 'totp' | 'passkey' | 'post' | 'new-password' | 'enroll-factor';
  name?: string;
  /** Of a second factor: all that this person has. */
  ways?: ('totp' | 'passkey' | 'recovery')[];
  /** Of a new password. */
  least_chars?: number;
  totp?: NewTotp;
  /** The one that they were in last comes first. */
  posts?: ShownPost[];
  role?: string;
  court?: string;
  person?: string;
  /** Shown this once, to be kept on paper. */
  recovery_codes?: string[];
  /** After one was used. */
  recovery_left?: number;
}

/** A secret for an authenticator app. */
export interface NewTotp {
  secret: string;
  uri: string;
  qr_svg: string;
}

/** One of a person's posts. */
export interface ShownPost {
  role: string;
  court: string;
  court_name: string;
}

/** Who is signed in, and by what they prove themselves. */
export interface ShownAccount {
  login: string;
  name: string;
  /** `local`, `ldap` or `oidc`: who keeps their password. */
  source: string;
  role: string;
  court: string;
  court_name: string;
  posts: ShownPost[];
  factors: ShownFactor[];
  recovery_left: number;
  least_chars: number;
}

/** A second factor of somebody. */
export interface ShownFactor {
  id: string;
  kind: string;
  label: string;
  made_utc_ms: number;
  used_utc_ms: number | null;
}

/** All that last, the one that was used last first. */
export interface ShownSessions {
  sessions: ShownSession[];
}

/** A session of somebody. */
export interface ShownSession {
  id: string;
  role: string;
  court_name: string;
  began_utc_ms: number;
  seen_utc_ms: number;
  /** Whether it is the one that asks. */
  current: boolean;
}

/** Shown this once. */
export interface RecoveryCodes {
  recovery_codes: string[];
}

/** A one-time code, shown this once. */
export interface SignUpCode {
  code: string;
  until_utc_ms: number;
}

/** The newest first. */
export interface ShownActs {
  total: number;
  rows: ShownAct[];
}

/** An act of two persons. */
export interface ShownAct {
  id: string;
  kind: string;
  person: string;
  person_name: string;
  court_name: string;
  why: string;
  state: string;
  by: string;
  by_name: string;
  made_utc_ms: number;
  until_utc_ms: number;
  /** Who confirmed or refused it. */
  confirmed_by_name: string | null;
  /** Whether who looks has asked for it, and so cannot confirm it. */
  mine: boolean;
  /** The one-time code that the person needs now, shown this once. */
  code?: string;
  code_until_utc_ms?: number;
}
