/** What is being typed in a line, what is kept of it, and what the clerk is told about it. */

import type { NewLine } from '../../lib/transcript';

export interface Editing {
  line: string;
  /** The version and the text on which the typing began. */
  base: number;
  was: string;
  text: string;
  /** For an insertion: where it goes and whose it is. */
  fresh: NewLine | null;
  /** What somebody else made of the line, shown while a conflict is settled by hand. */
  theirs: string | null;
}

export type Notice =
  | 'edit.merged'
  | 'edit.merge.struck'
  | 'edit.nothing'
  | 'edit.undo.late'
  | 'edit.split.where'
  | 'error.conflict'
  | 'error.signed';

export type Draft = Pick<Editing, 'text' | 'was' | 'base' | 'fresh'>;
