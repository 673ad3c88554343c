/**
 * What can be played where: the hearing's time line cut into stretches, and which bytes to ask for next.
 *
 * A *stretch* is an interval in which the same tracks have media. Playback runs inside one stretch; at its end the next
 * one with any media is entered, and what lies between is skipped with a note that says why. Nothing is skipped
 * silently, and sound without picture (or picture without sound) is played, not skipped.
 */

import type { Span } from './momentLookup';

export type Range = readonly [from_ms: number, to_ms: number];

export interface Stretch {
  from_ms: number;
  to_ms: number;
  /** Ids of the tracks that have media all through; empty: nothing to play. */
  tracks: string[];
}

/** Two media ranges closer than this are one: it is the seam of two fragments, not a gap. */
const SEAM_MS = 120;

/** Sorted, joined over seams. */
export function joined(ranges: readonly Range[], seam_ms = SEAM_MS): Range[] {
  const out: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = out[out.length - 1];
    if (last !== undefined && from - last[1] <= seam_ms) last[1] = Math.max(last[1], to);
    else if (to > from) out.push([from, to]);
  }
  return out;
}

export interface PlanInput {
  opened_ms: number;
  /** The end of the time line: the closing, or now. */
  end_ms: number;
  pauses: readonly Span[];
  /** The tracks wanted together: one camera and the mix. */
  tracks: readonly { id: string; ranges: readonly Range[] }[];
}

/** Cut `opened_ms … end_ms` into stretches. During a pause nothing is kept, so nothing is played. */
export function stretches(input: PlanInput): Stretch[] {
  const { opened_ms, end_ms } = input;
  const clip = (ms: number) => Math.min(end_ms, Math.max(opened_ms, ms));
  const cuts = new Set([opened_ms, end_ms]);
  const tracks = input.tracks.map((t) => ({ id: t.id, ranges: joined(t.ranges) }));
  for (const t of tracks) for (const [from, to] of t.ranges) cuts.add(clip(from)).add(clip(to));
  for (const p of input.pauses) cuts.add(clip(p.from_ms)).add(clip(p.to_ms ?? end_ms));
  const edges = [...cuts].sort((a, b) => a - b);
  const out: Stretch[] = [];
  let from_ms = opened_ms;
  for (const to_ms of edges.slice(1)) {
    const middle = (from_ms + to_ms) / 2;
    const paused = input.pauses.some((p) => p.from_ms <= middle && middle < (p.to_ms ?? end_ms));
    const have = paused
      ? []
      : tracks.filter((t) => t.ranges.some(([a, b]) => a <= middle && middle < b)).map((t) => t.id);
    const last = out[out.length - 1];
    if (last !== undefined && last.tracks.join() === have.join()) last.to_ms = to_ms;
    else out.push({ from_ms, to_ms, tracks: have });
    from_ms = to_ms;
  }
  return withoutSlivers(out);
}

/**
 * Tracks never begin and end in the same millisecond. A sliver that has fewer tracks than a neighbor is not worth a
 * change of source: it is stepped over, and equal neighbors become one.
 */
function withoutSlivers(list: readonly Stretch[], sliver_ms = 400): Stretch[] {
  const out: Stretch[] = [];
  list.forEach((here, i) => {
    const richer = Math.max(list[i - 1]?.tracks.length ?? 0, list[i + 1]?.tracks.length ?? 0);
    const sliver = here.to_ms - here.from_ms < sliver_ms && here.tracks.length < richer;
    const tracks = sliver ? [] : here.tracks;
    const last = out[out.length - 1];
    if (last !== undefined && last.tracks.join() === tracks.join()) last.to_ms = here.to_ms;
    else out.push({ ...here, tracks });
  });
  return out;
}

/** The stretch that holds `at_ms`. */
export function stretchAt(list: readonly Stretch[], at_ms: number): Stretch | null {
  return list.find((s) => s.from_ms <= at_ms && at_ms < s.to_ms) ?? null;
}

/** Where playback can go on from `at_ms`: there, or at the next stretch that has media; null at the end. */
export function playableFrom(list: readonly Stretch[], at_ms: number): { at_ms: number; stretch: Stretch } | null {
  for (const s of list) {
    if (s.tracks.length > 0 && at_ms < s.to_ms) return { at_ms: Math.max(at_ms, s.from_ms), stretch: s };
  }
  return null;
}

/** The next bytes to fetch of one track. */
export interface Chunk {
  from_ms: number;
  to_ms: number;
}

export interface Appetite {
  /** How far ahead of the cursor media shall be buffered. */
  ahead_ms: number;
  /** How much one request asks for. */
  chunk_ms: number;
}

export const APPETITE: Appetite = { ahead_ms: 20_000, chunk_ms: 10_000 };

/**
 * What to fetch next for a track that is buffered without a hole from the cursor up to `buffered_to_ms`; null when
 * enough is there or the stretch has no more.
 */
export function nextChunk(
  cursor_ms: number,
  buffered_to_ms: number,
  stretch_to_ms: number,
  appetite: Appetite = APPETITE,
): Chunk | null {
  const from_ms = Math.max(cursor_ms, buffered_to_ms);
  if (from_ms >= stretch_to_ms - 1 || from_ms - cursor_ms >= appetite.ahead_ms) return null;
  return { from_ms, to_ms: Math.min(stretch_to_ms, from_ms + appetite.chunk_ms) };
}

/** How far media reaches without a hole from `at_ms`, given buffered ranges; `at_ms` itself when none covers it. */
export function reach(buffered: readonly Range[], at_ms: number): number {
  for (const [from, to] of joined(buffered, 60)) if (from - 60 <= at_ms && at_ms < to) return to;
  return at_ms;
}

export interface Skip {
  from_ms: number;
  to_ms: number;
  /** `pause`: with its legal reason; `gap`: declared, with its why; `missing`: not (yet) at the center */
  kind: 'pause' | 'gap' | 'missing';
  reason: string;
}

/** Say why `from_ms … to_ms` is skipped: the pause or the declared gap that covers most of it. */
export function explainSkip(
  from_ms: number,
  to_ms: number,
  pauses: readonly (Span & { reason: string })[],
  gaps: readonly (Span & { why: string })[],
): Skip {
  const overlap = (s: Span) => Math.min(to_ms, s.to_ms ?? to_ms) - Math.max(from_ms, s.from_ms);
  let best: Skip = { from_ms, to_ms, kind: 'missing', reason: '' };
  let most = 0;
  for (const p of pauses) {
    if (overlap(p) > most) {
      most = overlap(p);
      best = { from_ms, to_ms, kind: 'pause', reason: p.reason };
    }
  }
  for (const g of gaps) {
    if (overlap(g) > most) {
      most = overlap(g);
      best = { from_ms, to_ms, kind: 'gap', reason: g.why };
    }
  }
  return best;
}

/** A track whose media ends this much before the others' is not just later in arriving: it has a gap. */
const LATE_MS = 15_000;

/**
 * Where the playable line ends. While the hearing runs, the tracks arrive a little apart: the line ends where all
 * have arrived, except those that stopped long before.
 */
export function recordedEnd(
  tracks: readonly { id: string; ranges: readonly Range[] }[],
  live: boolean,
  end_ms: number,
): number {
  if (!live) return end_ms;
  const ends = tracks.flatMap((t) => (t.ranges.length > 0 ? [Math.max(...t.ranges.map((r) => r[1]))] : []));
  if (ends.length === 0) return end_ms;
  const last = Math.max(...ends);
  return Math.min(end_ms, ...ends.filter((e) => last - e < LATE_MS));
}
