/** What each touch means as changes of lines, and how lines look while their changes are on the way. No state. */

import { changed, moved, movedProposals, newLine, type Change, type NewLine, type Settings } from '../../lib/transcript';
import type { Line } from '../../lib/types';

/** Random, as the log's names of acts and lines are. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
}

export function setting(line: Line, set: Settings): Change {
  return { line: line.id, base: line.revision, set };
}

/** The rest of `text` from character `at` on becomes a line of its own; the moment is cut as the text is. */
export function splitting(line: Line, text: string, at: number): Change[] {
  const points = [...text];
  const cut = line.start_ms + ((line.end_ms - line.start_ms) * at) / Math.max(1, points.length);
  const rest: NewLine = {
    id: newId(),
    after: line.id,
    seat: line.seat,
    role: line.role,
    start_ms: cut,
    end_ms: line.end_ms,
    text: points.slice(at).join('').trim(),
    source: 'split',
    voice: line.voice,
  };
  return [setting(line, { text: points.slice(0, at).join('').trim(), end_ms: cut }), { new: rest }];
}

export function merging(line: Line, text: string, next: Line): Change[] {
  const gap = /[\p{Script=Latin}\d]$/u.test(text) && /^[\p{Script=Latin}\d]/u.test(next.text) ? ' ' : '';
  return [
    setting(line, { text: text + gap + next.text, end_ms: Math.max(line.end_ms, next.end_ms) }),
    setting(next, { gone: 'merged' }),
  ];
}

export function linesOf(changes: Change[]): string[] {
  return changes.flatMap((change) => ('line' in change ? [change.line] : []));
}

/** The lines as they will be once these changes are written. Lines that nothing changes are the same objects. */
export function overlaid(lines: Line[], acts: Change[][]): Line[] {
  if (acts.length === 0) return lines;
  const out = [...lines];
  const place = (id: string): number => out.findIndex((line) => line.id === id);
  for (const change of acts.flat()) {
    if ('new' in change) {
      if (place(change.new.id) >= 0) continue;
      const { after, ...said } = change.new;
      const line = newLine({ ...said, touched: true });
      const follows = after ? place(after) : out.findLastIndex((other) => other.start_ms <= line.start_ms);
      out.splice(follows + 1, 0, line);
    } else if ('set' in change) {
      const at = place(change.line);
      const line = out[at];
      if (!line) continue;
      const { text } = change.set;
      const words =
        text === undefined || text === line.text
          ? {}
          : { unsure: moved(line.unsure, line.text, text), proposals: movedProposals(line.proposals, line.text, text) };
      out[at] = { ...line, ...change.set, ...words, touched: true };
    }
  }
  return out;
}

/** A piece of a line's text, as it is drawn. */
export interface Piece {
  text: string;
  unsure: boolean;
  /** what somebody asked to be shown */
  found: boolean;
  /** a proposal of the corrector */
  proposed: boolean;
}

export function pieces(line: Line, found: { at: number; length: number } | null): Piece[] {
  const points = [...line.text];
  const edges = new Set([0, points.length]);
  const spans: { from: number; to: number; kind: 'unsure' | 'found' | 'proposed' }[] = [
    ...line.unsure.map(([from, to]) => ({ from, to, kind: 'unsure' as const })),
    ...line.proposals.map((one) => ({ from: one.at, to: one.at + one.length, kind: 'proposed' as const })),
    ...(found ? [{ from: found.at, to: found.at + found.length, kind: 'found' as const }] : []),
  ];
  for (const { from, to } of spans) edges.add(Math.min(from, points.length)).add(Math.min(to, points.length));
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((from, i) => {
    const to = sorted[i + 1] ?? from;
    const has = (kind: string): boolean => spans.some((s) => s.kind === kind && s.from <= from && s.to >= to);
    return { text: points.slice(from, to).join(''), unsure: has('unsure'), found: has('found'), proposed: has('proposed') };
  });
}

/** The changed part of a text, before and after, with what stays around it. */
export function difference(before: string, after: string): { head: string; was: string; is: string; tail: string } {
  const { head, tail } = changed(before, after);
  const old = [...before];
  const now = [...after];
  return {
    head: now.slice(0, head).join(''),
    was: old.slice(head, old.length - tail).join(''),
    is: now.slice(head, now.length - tail).join(''),
    tail: now.slice(now.length - tail).join(''),
  };
}
