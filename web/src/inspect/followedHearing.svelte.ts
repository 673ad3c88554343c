/** One hearing as the center holds it: loaded once, kept up by its events, and asked again for what media has arrived. */

import { applyEvent } from '../lib/hearing';
import type { HearingRecord, RoomEvent } from '../lib/types';
import { hearingFetcher, type RecordFetcher } from '../player/fetch';
import { SIGNING } from '../lib/transcriptSignatures';

/** So long after the last late event the hearing is asked for again: they come in bursts. */
const LATE_MS = 400;
const SEALED_MS = 5000;

export class FollowedHearing {
  record = $state<HearingRecord | null>(null);
  failure = $state<unknown>(null);
  /** Room time (ms) as the center last gave it, and when this browser received it. */
  private told = { now_ms: 0, at: 0 };
  private asking = false;
  private again = false;
  private gone = false;
  private late: ReturnType<typeof setTimeout> | undefined;
  private sealed: ReturnType<typeof setTimeout> | undefined;

  private readonly fetcher: RecordFetcher<HearingRecord>;

  constructor(readonly id: string) {
    this.fetcher = hearingFetcher(id);
    void this.refresh();
  }

  /** Ask again; concurrent calls are one. `whole`: events may have been missed, so nothing that is known is kept. */
  async refresh(whole = false): Promise<void> {
    if (this.gone) return;
    if (this.asking) {
      this.again ||= whole; // what was missed may be missing in the answer that is under way, too
      return;
    }
    this.asking = true;
    try {
      const fresh = await this.fetcher.record();
      if (this.gone) return;
      this.told = { now_ms: fresh.now_ms ?? fresh.closed_ms ?? lastMedia(fresh), at: performance.now() };
      const known = this.record;
      if (known === null || whole || fresh.last_number > known.last_number) this.record = fresh;
      else {
        known.tracks = fresh.tracks;
        known.now_ms = fresh.now_ms ?? null;
        known.integrity = fresh.integrity;
      }
      this.failure = null;
    } catch (error) {
      this.failure = error;
    } finally {
      this.asking = false;
      if (this.again) {
        this.again = false;
        void this.refresh(true);
      }
    }
  }

  take(event: RoomEvent): void {
    if (this.record === null || event.hearing !== this.id) return;
    // After an outage events come late, behind newer ones: the center, which has them in order, is asked for the whole.
    if (event.number !== this.record.last_number + 1) {
      clearTimeout(this.late);
      this.late = setTimeout(() => void this.refresh(true), LATE_MS);
    }
    applyEvent(this.record as Parameters<typeof applyEvent>[0], event);
    if (event.kind === 'close') void this.refresh();
    if (SIGNING.has(event.kind)) void this.refresh(true);
    // The center witnesses a seal a moment after it has it.
    if (event.kind === 'seal') this.sealed = setTimeout(() => void this.refresh(), SEALED_MS);
  }

  /** Room time now, or the moment of closing. */
  now(): number {
    const record = this.record;
    if (record === null) return 0;
    if (record.closed_ms !== null) return record.closed_ms;
    // While the room is not online nobody knows its time: the line ends with what was received.
    const passed = record.now_ms === null ? 0 : performance.now() - this.told.at;
    return this.told.now_ms + passed;
  }

  destroy(): void {
    this.gone = true;
    clearTimeout(this.late);
    clearTimeout(this.sealed);
  }
}

function lastMedia(record: HearingRecord): number {
  return Math.max(record.opened_ms, ...record.tracks.flatMap((track) => track.ranges.map((range) => range[1])));
}
