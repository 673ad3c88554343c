/** What the servers say: the contract that is generated from Python's types, and what the screens derive from it.
 * Times are milliseconds: room time unless the name says UTC. */

import type { Hearing, PresentBody, RecordedHearing } from './contract';

export type * from './contract';
export { PAUSE_REASONS } from './contract';

/** Which part of an exhibit is shown. */
export type View = PresentBody;

/** A hearing as the center holds it. */
export type HearingRecord = Omit<Hearing, keyof RecordedHearing> & RecordedHearing;
