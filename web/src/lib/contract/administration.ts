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
