/** The one hearing that was granted: what the center gives a party, as the player's parts take it. */

import { api, ApiError } from '../lib/api';
import type { GrantedHearing, GrantedLine, Line } from '../lib/types';
import type { FetchPiece } from '../player/source';

/** Only a hearing that is closed is granted. */
type Told = Omit<GrantedHearing, 'closed_ms'> & { closed_ms: number };

export type Granted = Omit<Told, 'utterances'> & { utterances: Line[] };

/** Ask for it; every question is judged anew and written down. */
export async function askGranted(): Promise<Granted> {
  const told = await api.get<Told>('/api/view');
  return { ...told, utterances: told.utterances.map(lineOf) };
}

/** A party gets no versions and no doubts of the engine: the parts of the page that show them find none. */
export function lineOf(said: GrantedLine): Line {
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
