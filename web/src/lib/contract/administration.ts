// Written by tools/make_contract.py from Python's types: change those, and run it again.

/** A page of the audit log. */
export interface AuditListed {
  total: number;
  /** Whether there are more than `total`. */
  at_least: boolean;
  /** Not everything that is older was looked through: back to this moment it was. */
  looked_to_utc_ms: number | null;
  rows: AuditLine[];
}

/** A line of the audit log. */
export interface AuditLine {
  row: number;
  utc_ms: number;
  what: string;
  role: string;
  address: string;
  detail: string;
  granted: boolean;
  /** Who it was; empty for strangers, devices and who came by the code of a role. */
  person: string;
  name: string;
  login: string;
}

/** Counts of some days. */
export interface CourtReport {
  days: DayCount[];
  courts: CourtCount[];
}

/** Hearings of one day. */
export interface DayCount {
  day: string;
  recorded: number;
  not_recorded: number;
}

/** What a court has, and had in these days. */
export interface CourtCount {
  court: string;
  court_name: string;
  people: number;
  sign_ins: number;
  rooms: number;
  recorded: number;
  not_recorded: number;
}

/** A page of courts. */
export interface CourtsListed {
  total: number;
  rows: CourtListed[];
}

/** A court in the tree. */
export interface CourtListed {
  slug: string;
  name: string;
  level: 'supreme' | 'province' | 'city' | 'district' | '';
  parent: string | null;
  /** How many courts of the list's tree are above it. */
  depth: number;
  /** Who belong to it, without those who have left. */
  people: number;
}

/** A page of people. */
export interface PeopleListed {
  total: number;
  rows: PersonListed[];
}

/** A person in a list, and on a page of their own. */
export interface PersonListed {
  id: string;
  login: string;
  name: string;
  court: string;
  court_name: string;
  posts: PostListed[];
  state: 'active' | 'locked' | 'left';
  source: 'local' | 'oidc' | 'ldap';
  seen_utc_ms: number | null;
  /** By what they can prove themselves; empty until they have signed in for the first time. */
  factors: ('password' | 'totp' | 'passkey' | 'recovery')[];
  /**
   * Whether another active person of one of their courts has the same name: neither sees the hearings in which
   * that name sits.
   */
  shares_name: boolean;
}

/** A post: a role at a court. */
export interface PostListed {
  role: 'clerk' | 'judge' | 'presiding' | 'inspector' | 'leader' | 'archivist' | 'administrator' | 'auditor';
  court: string;
}

/** What a table came to. */
export interface ImportAnswer {
  lines: number;
  good: number;
  saved: number;
  /** Of at most 500 lines, the first. */
  faults: ImportFault[];
  rows: ImportedLine[];
}

/** What is wrong in a line. */
export interface ImportFault {
  line: number;
  field: string;
  text: string;
}

/** What stands in a line that has faults. */
export interface ImportedLine {
  line: number;
  cells: Record<string, string>;
}

/** A page of rooms. */
export interface RoomsListed {
  total: number;
  rows: RoomListed[];
}

/** A room in a list. */
export interface RoomListed {
  address: string;
  court: string;
  room: string;
  court_name: string;
  room_name: string;
  state: 'planned' | 'enrolled' | 'retired';
  online: boolean;
  /** Who added it; "configuration" for center.toml. */
  by: string;
  made_utc_ms: number;
  retired_utc_ms: number | null;
  has_device: boolean;
  /** "waits", "ready" or "forced" while its machine is replaced, else empty. */
  moving: string;
  code_until_utc_ms: number | null;
  /** While its machine is waited for: what that still holds. */
  leaving: HeldByMachine | null;
}

/** What the machine of a room still holds for the center; null is not known. */
export interface HeldByMachine {
  pending_events: number | null;
  pending_bytes: number | null;
}

/** A page of machines. */
export interface DevicesListed {
  total: number;
  rows: DeviceListed[];
}

/** A machine that was enrolled, now or once. */
export interface DeviceListed {
  id: number;
  address: string;
  court_name: string;
  room_name: string;
  fingerprint: string;
  made_utc_ms: number;
  until_utc_ms: number | null;
  revoked_utc_ms: number | null;
  current: boolean;
}

/** A page of it. */
export interface Fleet {
  total: number;
  counts: FleetCounts;
  rows: FleetRow[];
}

/** How many rooms are how, of all that match but for the state that was asked for. */
export interface FleetCounts {
  ok: number;
  warning: number;
  alarm: number;
  offline: number;
  planned: number;
}

/** A room and its machine; null is not known. */
export interface FleetRow {
  address: string;
  court: string;
  room: string;
  court_name: string;
  room_name: string;
  state: 'alarm' | 'warning' | 'offline' | 'planned' | 'ok';
  online: boolean;
  seen_utc_ms: number | null;
  version: string;
  disk_free_bytes: number | null;
  disk_bytes: number | null;
  clock_error_ms: number | null;
  clock_synced: boolean | null;
  certificate_until_utc_ms: number | null;
  last_hearing_utc_ms: number | null;
  selftest: FleetSelfTest | null;
  pending_events: number | null;
  pending_bytes: number | null;
  alarms: FleetAlarm[];
}

/** The last self-test. */
export interface FleetSelfTest {
  utc_ms: number;
  passed: boolean;
}

/** Something that is wrong at a room. */
export interface FleetAlarm {
  code: string;
  subject: string;
  text: string;
}

/**
 * A code that was made just now, said this once. `carried`: with the center's address, which the picture shows.
 */
export interface IssuedCode {
  code: string;
  carried: string;
  until_utc_ms: number;
  qr_svg: string;
}

/** The profile of a room as it said it last. */
export interface ToldProfile {
  profile_toml: string;
  said_utc_ms: number | null;
}
