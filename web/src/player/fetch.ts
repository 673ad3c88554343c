/** How a record comes to the player: what it says, and its media by ranges.
 *
 * An inspector asks for any hearing, a party for the one that was granted. The center answers both in one form below two
 * addresses, and judges at every request who may see it.
 */

import { api, ApiError } from '../lib/api';
import type { HearingRecord } from '../lib/types';
import { seatOfTrack } from './soloTrack';
import type { FetchPiece } from './trackLoad';

export class RecordFetcher<Told> {
  constructor(private readonly address: string) {}

  record(): Promise<Told> {
    return api.get<Told>(this.address);
  }

  /** A range without media gives no bytes, and says where media begins again. */
  readonly media: FetchPiece = async (track, from_ms, to_ms, signal) => {
    const { id, seat } = seatOfTrack(track);
    const query = new URLSearchParams({ from_ms: from_ms.toFixed(3), to_ms: to_ms.toFixed(3) });
    if (seat !== '') query.set('seat', seat);
    try {
      const answer = await api.raw(`${this.address}/media/${encodeURIComponent(id)}?${query.toString()}`, signal);
      return {
        bytes: await answer.arrayBuffer(),
        from_ms: Number(answer.headers.get('X-Wutong-From-Ms')),
        to_ms: Number(answer.headers.get('X-Wutong-To-Ms')),
        mime: answer.headers.get('X-Wutong-Mime') ?? '',
      };
    } catch (error) {
      if (error instanceof ApiError && (error.code === 'no-media' || error.code === 'unreadable')) {
        const next = error.detail.next_ms;
        const next_ms = typeof next === 'number' ? next : null;
        return error.code === 'unreadable' ? { bytes: null, next_ms, unreadable: error.message } : { bytes: null, next_ms };
      }
      throw error;
    }
  };
}

/** Any hearing of the center, for who may inspect it. */
export function hearingFetcher(id: string): RecordFetcher<HearingRecord> {
  return new RecordFetcher(`/api/hearings/${encodeURIComponent(id)}`);
}
