/** The one hearing that was granted: what the center gives a party, as the parts of the player take it. */

import type { Case, Exhibit, Gap, Line, Pause, PlayableTrack, Presentation, Seat } from '../lib/types';
import { RecordFetcher } from '../player/fetch';

export interface GrantedHearing {
  id: string;
  court_name: string;
  room_name: string;
  opened_ms: number;
  opened_utc_ms: number;
  recorded_from_ms: number;
  closed_ms: number;
  case: Pick<Case, 'case_no' | 'cause' | 'title' | 'parties' | 'public'>;
  seats: Seat[];
  pauses: Pause[];
  gaps: Gap[];
  utterances: Line[];
  exhibits: Exhibit[];
  presentations: Presentation[];
  tracks: PlayableTrack[];
  granted: { role: string; name: string; until_utc_ms: number };
}

type PartyLine = Pick<Line, 'id' | 'seat' | 'role' | 'start_ms' | 'end_ms' | 'text' | 'source' | 'struck' | 'doubtful'>;
type GrantedAnswer = Omit<GrantedHearing, 'utterances'> & { utterances: PartyLine[] };

export const grantedFetcher = new RecordFetcher<GrantedAnswer>('/api/view');

/** Every request is judged anew, and is written to the audit log. */
export async function fetchGranted(): Promise<GrantedHearing> {
  const told = await grantedFetcher.record();
  return { ...told, utterances: told.utterances.map(partyLine) };
}

/** A party gets no versions and no doubts of the engine: the parts of the page that show them find none. */
export function partyLine(told: PartyLine): Line {
  const none = { confidence: null, voice: '', revision: 0, written_utc_ms: 0, touched: false, gone: '' };
  return { ...none, unsure: [], proposals: [], versions: [], ...told };
}
