/** The one hearing that was granted: what the center gives a party, as the player's parts take it. */

import { api, ApiError } from '../lib/api';
import type { Case, Exhibit, Gap, Line, Pause, PlayableTrack, Presentation, Seat } from '../lib/types';
import type { FetchPiece } from '../player/source';

export interface Granted {
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

type Said = Pick<Line, 'id' | 'seat' | 'role' | 'start_ms' | 'end_ms' | 'text' | 'source' | 'struck' | 'doubtful'>;

/** Ask for it; every question is judged anew and written down. */
export async function askGranted(): Promise<Granted> {
  const told = await api.get<Omit<Granted, 'utterances'> & { utterances: Said[] }>('/api/view');
  return { ...told, utterances: told.utterances.map(lineOf) };
}

/** A party gets no versions and no doubts of the engine: the parts of the page that show them find none. */
export function lineOf(said: Said): Line {
  const none = { confidence: null, voice: '', revision: 0, written_utc_ms: 0, touched: false, gone: '' };
  return { ...none, unsure: [], proposals: [], versions: [], ...said };
}

/** The code in the address of a link; it is taken out of the address at once, so that it stays in no history. */
export function takeCode(place: Location, history: History): string {
  const code = place.hash.replace(/^#/, '');
  if (code !== '') history.replaceState(null, '', place.pathname);
  return code;
}

export const fetchGranted: FetchPiece = async (track, from_ms, to_ms, signal) => {
  const query = new URLSearchParams({ from_ms: from_ms.toFixed(3), to_ms: to_ms.toFixed(3) });
  try {
    const answer = await api.raw(`/api/view/media/${encodeURIComponent(track)}?${query.toString()}`, signal);
    return {
      bytes: await answer.arrayBuffer(),
      from_ms: Number(answer.headers.get('X-Wutong-From-Ms')),
      to_ms: Number(answer.headers.get('X-Wutong-To-Ms')),
      mime: answer.headers.get('X-Wutong-Mime') ?? '',
    };
  } catch (error) {
    if (error instanceof ApiError && error.code === 'no-media') {
      const next = error.detail.next_ms;
      return { bytes: null, next_ms: typeof next === 'number' ? next : null };
    }
    throw error;
  }
};
