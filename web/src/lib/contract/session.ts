// Written by tools/make_contract.py from Python's types: change those, and run it again.

/** Who is signed in: a clerk in a room, everybody else at the center. */
export interface Session {
  role: 'clerk' | 'inspector' | 'archivist' | 'party';
  name: string;
}
