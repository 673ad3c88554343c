/** Who signed the words of a hearing, as the center says it of one. */

import { SIGNING_KINDS } from '../lib/contract';

export type { SignedWords } from '../lib/contract';

/** Kinds of events after which it must be asked for again. */
export const SIGNING = new Set<string>(SIGNING_KINDS);
