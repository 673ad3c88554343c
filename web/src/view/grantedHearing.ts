/** The one hearing that was granted: what the center gives a party, as the parts of the player take it. */

import type { GrantedHearing as GrantedAnswer, GrantedLine, Line } from '../lib/types';
import { RecordFetcher } from '../player/fetch';

/** Only a hearing that is closed is granted. */
type ClosedAnswer = Omit<GrantedAnswer, 'closed_ms'> & { closed_ms: number };

export type PartyHearing = Omit<ClosedAnswer, 'utterances'> & { utterances: Line[] };

export const grantedFetcher = new RecordFetcher<ClosedAnswer>('/api/view');

/** Every request is judged anew, and is written to the audit log. */
export async function fetchGranted(): Promise<PartyHearing> {
  const told = await grantedFetcher.record();
  return { ...told, utterances: told.utterances.map(partyLine) };
}

/** A party gets no versions and no doubts of the engine: the parts of the page that show them find none. */
export function partyLine(told: GrantedLine): Line {
  const none = { confidence: null, voice: '', revision: 0, written_utc_ms: 0, touched: false, gone: '' };
  return { ...none, unsure: [], proposals: [], versions: [], ...told };
}
