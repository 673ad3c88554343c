/** 封存区段 on a time line: as pauses of the player, which skips them, and as what is drawn. Room time (ms). */

import type { SealedPart, UnseenSpan } from '../lib/types';
import type { Span } from './momentLookup';

/** What the player calls the reason why such a stretch is skipped. */
export const SEALED = 'sealed';

export interface SealedSpan extends Span {
  /** Whether who is signed in may see what lies in it. */
  seen: boolean;
}

/** What may not be seen, as pauses of the player. */
export function asPauses(unseen: readonly UnseenSpan[]): (Span & { reason: string })[] {
  return unseen.map((span) => ({ ...span, reason: SEALED }));
}

/** Every sealed part that is told, and what may not be seen of it. */
export function drawn(parts: readonly SealedPart[], unseen: readonly UnseenSpan[]): SealedSpan[] {
  const hidden = unseen.map((span) => ({ ...span, seen: false }));
  const open = parts.filter((part) => !hidden.some((span) => covers(span, part)));
  return [...hidden, ...open.map(({ from_ms, to_ms }) => ({ from_ms, to_ms, seen: true }))];
}

/** Whether a line lies in a part, by a moment alone; as `sync/record/sealed_parts.py` judges it, an empty line is a moment. */
export function touches(part: Span, line: { start_ms: number; end_ms: number }): boolean {
  const end_ms = Math.max(line.end_ms, line.start_ms + 1e-6);
  return end_ms > part.from_ms && (part.to_ms === null || line.start_ms < part.to_ms);
}

function covers(span: Span, part: Span): boolean {
  return span.from_ms <= part.from_ms && (span.to_ms === null || (part.to_ms !== null && part.to_ms <= span.to_ms));
}
