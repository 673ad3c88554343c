/** Who signed the transcript of a hearing, as the center reports it. */

import { SIGNING_KINDS } from './contract';

export type { SignedWords as TranscriptSignatures } from './contract';

/** Kinds of events after which it must be asked for again. */
export const SIGNING = new Set<string>(SIGNING_KINDS);
