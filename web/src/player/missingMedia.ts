/**
 * What is missing from a hearing: declared gaps, without what the lawful pauses leave out. As `sync/record/explanation.py`
 * counts it, so that the time line and the written explanation never differ.
 */

import { HARMLESS, NOT_CHECKED } from '../lib/contract';
import type { Span } from './momentLookup';

/** Whether an alarm touched the record, so that it has to be explained. */
export function touchesRecord(alarm: { code: string; subject: string }): boolean {
  const harmless: readonly string[] = HARMLESS;
  return !harmless.includes(alarm.code) && !(alarm.code === NOT_CHECKED[0] && alarm.subject === NOT_CHECKED[1]);
}

export interface MissingMedia {
  track: string;
  from_ms: number;
  to_ms: number;
  why: string;
  /** It is no gap of the record: the file is there, and nobody can play it. */
  stored?: true;
}

export type UnreadableMedia = MissingMedia & { stored: true };

interface GapLike extends Span {
  track: string;
  why: string;
}

/** Stretches that are stored and cannot be played, in the form of gaps; `explain` says why in words. */
export function unreadable(
  tracks: readonly { id: string; unreadable?: readonly (Span & { why: 'no-video' | 'damaged' })[] }[],
  explain: (why: 'no-video' | 'damaged') => string,
): UnreadableMedia[] {
  return tracks
    .flatMap(({ id, unreadable: spans = [] }) =>
      spans.map(({ from_ms, to_ms, why }) => ({ track: id, from_ms, to_ms: to_ms ?? from_ms, why: explain(why), stored: true as const })),
    )
    .sort(byTime);
}

/** The parts of the gaps that lie in no pause, by time. */
export function missing(gaps: readonly GapLike[], pauses: readonly Span[]): MissingMedia[] {
  return gaps
    .flatMap((gap) =>
      outside(gap.from_ms, gap.to_ms ?? gap.from_ms, pauses).map(([from_ms, to_ms]) => ({
        track: gap.track,
        from_ms,
        to_ms,
        why: gap.why,
      })),
    )
    .sort(byTime);
}

function byTime(a: MissingMedia, b: MissingMedia): number {
  return a.from_ms - b.from_ms || a.track.localeCompare(b.track);
}

function outside(from_ms: number, to_ms: number, pauses: readonly Span[]): [number, number][] {
  let parts: [number, number][] = [[from_ms, to_ms]];
  for (const pause of pauses) {
    parts = parts.flatMap(([from, to]): [number, number][] => {
      if (pause.from_ms >= to || (pause.to_ms !== null && pause.to_ms <= from)) return [[from, to]];
      const before: [number, number][] = [[from, pause.from_ms]];
      return pause.to_ms === null ? before : [...before, [pause.to_ms, to]];
    });
  }
  return parts.filter(([from, to]) => to > from);
}

/** How long at least one track is missing. */
export function missingMs(list: readonly MissingMedia[]): number {
  let total = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from_ms, to_ms } of [...list].sort((a, b) => a.from_ms - b.from_ms)) {
    total += Math.max(0, to_ms - Math.max(from_ms, reached));
    reached = Math.max(reached, to_ms);
  }
  return total;
}

/** The rows of the time line: each track that misses something, in the order of the tracks. */
export function rows<T extends { id: string }>(tracks: readonly T[], list: readonly MissingMedia[]): { track: T; gaps: MissingMedia[] }[] {
  return tracks
    .map((track) => ({ track, gaps: list.filter((gap) => gap.track === track.id) }))
    .filter((row) => row.gaps.length > 0);
}

/** What is missing at a moment; `near_ms` lets a finger hit what is narrower than itself. */
export function missingAt(list: readonly MissingMedia[], at_ms: number, near_ms: number): MissingMedia[] {
  return list.filter((gap) => gap.from_ms - near_ms <= at_ms && at_ms <= gap.to_ms + near_ms);
}
