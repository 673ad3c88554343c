// Written by tools/make_contract.py from Python's types: change those, and run it again.

/**
 * Fragments of a track are missing for this tab; `address` as it watches it: `track`, or `court/room/track`.
 */
export interface LostMessage {
  type: 'lost';
  address: string;
  slow: boolean;
}

/** Who is signed in: a clerk in a room, everybody at the center. */
export interface Session {
  role: 'clerk' | 'judge' | 'presiding' | 'inspector' | 'leader' | 'archivist' | 'administrator' | 'auditor' | 'party';
  name: string;
  /** Not there for who came by a role's code, and for guests. */
  person?: string;
  /** Of a person's post. */
  court?: string;
}
