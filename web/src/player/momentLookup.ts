/**
 * What was true at a moment of a hearing: pure look-ups in the Hearing, all in room time (ms).
 *
 * The player, the live page and the time line ask here, so that picture, words and exhibit can never disagree.
 */

export interface Span {
  from_ms: number;
  /** Null while the span lasts. */
  to_ms: number | null;
}

/** The last span that covers `at_ms`; spans begin inclusively and end exclusively. */
export function spanAt<T extends Span>(spans: readonly T[], at_ms: number): T | null {
  for (let i = spans.length - 1; i >= 0; i--) {
    const span = spans[i];
    if (span !== undefined && span.from_ms <= at_ms && (span.to_ms === null || at_ms < span.to_ms)) return span;
  }
  return null;
}

export interface Spoken {
  id: string;
  start_ms: number;
  end_ms: number;
}

/**
 * The line to follow at `at_ms`: the one being spoken, else the last that began before. Lines are in order of their
 * start. Null before the first word.
 */
export function lineAt<T extends Spoken>(lines: readonly T[], at_ms: number): T | null {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle] as T).start_ms <= at_ms) low = middle + 1;
    else high = middle;
  }
  return low > 0 ? (lines[low - 1] as T) : null;
}

/** Lines that were being spoken at `at_ms`: more than one when people talk over each other. */
export function speakersAt<T extends Spoken>(lines: readonly T[], at_ms: number): T[] {
  return lines.filter((line) => line.start_ms <= at_ms && at_ms < line.end_ms);
}

export type Phase = 'before' | 'open' | 'paused' | 'closed';

/** Where the hearing was at `at_ms`. */
export function phaseAt(
  hearing: { opened_ms: number; closed_ms: number | null; pauses: readonly Span[] },
  at_ms: number,
): Phase {
  if (at_ms < hearing.opened_ms) return 'before';
  if (hearing.closed_ms !== null && at_ms >= hearing.closed_ms) return 'closed';
  return spanAt(hearing.pauses, at_ms) === null ? 'open' : 'paused';
}
