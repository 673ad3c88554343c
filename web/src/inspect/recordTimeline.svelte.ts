/** The time line of a hearing that is followed: where it begins and ends, what of it can be played, and what is missing. All
 * in room time (ms). */

import { t } from '../lib/i18n.svelte';
import { missing, touchesRecord, unreadable } from '../player/missingMedia';
import { recordedEnd, type Stretch, stretches } from '../player/playbackPlan';
import { asPauses, drawn } from '../player/sealedSpans';
import { soloTrack, withSolo } from '../player/soloTrack';
import type { FollowedHearing } from './followedHearing.svelte';

export class RecordTimeline {
  /** 听单席: the seat that is heard alone; "" for the mix of all */
  solo = $state('');

  /** `ticks` changes once a second, so that the end of a hearing that runs moves on. */
  constructor(
    private readonly followed: () => FollowedHearing | null,
    private readonly mainCamera: () => string | undefined,
    private readonly ticks: () => number,
  ) {}

  readonly #record = $derived.by(() => this.followed()?.record ?? null);

  /** The pre-roll, if the room keeps one, is part of the record. */
  readonly begin_ms = $derived.by(() => {
    const record = this.#record;
    return record === null ? 0 : Math.min(record.recorded_from_ms, record.opened_ms);
  });

  readonly end_ms = $derived.by(() => {
    this.ticks();
    const record = this.#record;
    return record === null ? 0 : Math.max(this.followed()?.now() ?? 0, record.opened_ms + 1000);
  });

  /** UTC minus room time. */
  readonly utcOffset_ms = $derived.by(() => (this.#record === null ? 0 : this.#record.opened_utc_ms - this.#record.opened_ms));

  /** What is not played: lawful pauses, and what may not be seen. */
  readonly quiet = $derived.by(() => {
    const record = this.#record;
    return record === null ? [] : [...record.pauses, ...asPauses(record.unseen)];
  });

  /** 封存区段, as they are drawn. */
  readonly sealed = $derived.by(() => (this.#record === null ? [] : drawn(this.#record.sealed_parts, this.#record.unseen)));

  /** The seats that can be heard alone. */
  readonly soloSeats = $derived.by(() => (this.#record?.tracks.some((track) => track.id === 'mics') ? this.#record.seats : []));

  readonly #sound = $derived.by(() => (this.solo === '' ? 'mix' : soloTrack(this.solo)));
  readonly #playable = $derived.by(() => withSolo(this.#record?.tracks ?? [], this.solo));

  /** How far what is played now has arrived at the center. */
  readonly received_ms = $derived.by(() => {
    const record = this.#record;
    if (record === null) return 0;
    const tracks = this.#playable.filter((track) => track.id === this.mainCamera() || track.id === this.#sound);
    return recordedEnd(tracks, record.state !== 'closed', this.end_ms);
  });

  readonly mainPlan = $derived.by(() => this.plan([this.mainCamera(), this.#sound]));
  readonly empty = $derived.by(() => this.mainPlan.every((stretch) => stretch.tracks.length === 0));

  readonly lost = $derived.by(() => (this.#record === null ? [] : missing(this.#record.gaps, this.#record.pauses)));

  /** What is stored and cannot be played; no gap of the record, so no part of its explanation. */
  readonly unreadable = $derived.by(() => unreadable(this.#record?.tracks ?? [], (why) => t(`unreadable.${why}`)));

  /** Both, by time: what the time line draws and the list says. */
  readonly absent = $derived.by(() => [...this.lost, ...this.unreadable].sort((a, b) => a.from_ms - b.from_ms));

  /** "" while nothing has to be explained, else what the written explanation depends on. */
  readonly explained = $derived.by(() => {
    const touched = (this.#record?.alarms ?? []).filter(touchesRecord).length;
    return this.lost.length + touched === 0 ? '' : `${this.lost.length} ${touched} ${this.#record?.state ?? ''}`;
  });

  readonly trackName = (id: string): string => this.#record?.tracks.find((track) => track.id === id)?.name ?? id;

  /** What can be played of these tracks. */
  plan(ids: (string | undefined)[]): Stretch[] {
    if (this.#record === null) return [];
    return stretches({
      opened_ms: this.begin_ms,
      end_ms: this.received_ms,
      pauses: this.quiet,
      tracks: this.#playable.filter((track) => ids.includes(track.id)),
    });
  }
}
