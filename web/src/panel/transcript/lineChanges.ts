/** What each touch means as changes of lines, and how lines look while their changes are on the way. No state. */

import { changed, moved, movedProposals, newLine, type Change, type NewLine, type Settings } from '../../lib/transcript';
import type { Line } from '../../lib/types';

/** Random, as the log's names of acts and lines are. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
}

/** A line that nobody spoke lasts as long as this at least: a subtitle of no length is shown by no player. */
const LEAST_MS = 1000;

/** When a line that is put in at `at` ends. */
export function leastEnd(at: number): number {
  return at + LEAST_MS;
}

/** As a document can hold it: tabs and other control characters (of a paste, say) are blanks, line ends stay. */
export function writable(text: string): string {
  return text.replace(/\r\n?/gu, '\n').replace(/[^\P{Cc}\n]|\p{Cs}/gu, ' ');
}

/** The same changes with texts that the room takes. */
export function writableChanges(changes: Change[]): Change[] {
  return changes.map((change) => {
    if ('new' in change) return { new: { ...change.new, text: writable(change.new.text) } };
    if (!('set' in change) || change.set.text === undefined) return change;
    return { ...change, set: { ...change.set, text: writable(change.set.text) } };
  });
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

/** The lines that these changes are about, also those that they make. */
export function namesOf(changes: Change[]): string[] {
  return changes.map((change) => ('new' in change ? change.new.id : change.line));
}

/** One change for each line, the later ones on top: an act names each line once. A line that is made and gone again
 * within them is none. */
export function flat(changes: Change[]): Change[] {
  const byLine = new Map<string, Change>();
  const instead = new Map<string, string>();
  for (const change of changes) {
    const name = 'new' in change ? change.new.id : change.line;
    const known = byLine.get(name);
    if (known && 'new' in known && 'set' in change && change.set.gone) {
      byLine.delete(name);
      instead.set(name, known.new.after);
    } else if (known && 'set' in known && 'set' in change) byLine.set(name, { ...known, set: { ...known.set, ...change.set } });
    else if (known && 'new' in known && 'set' in change) byLine.set(name, { new: { ...known.new, ...fits(change.set) } });
    else if (!instead.has(name)) byLine.set(name, change);
  }
  const standing = (id: string): string => {
    let name = id;
    for (let after = instead.get(name); after !== undefined; after = instead.get(name)) name = after;
    return name;
  };
  return [...byLine.values()].map((change) =>
    'new' in change ? { new: { ...change.new, after: standing(change.new.after) } } : change,
  );
}

function fits(set: Settings): Partial<NewLine> {
  const { text, role, seat, start_ms, end_ms } = set;
  return Object.fromEntries(Object.entries({ text, role, seat, start_ms, end_ms }).filter(([, value]) => value !== undefined));
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
export interface TextPiece {
  text: string;
  unsure: boolean;
  /** What somebody asked to be shown. */
  found: boolean;
  /** A proposal of the corrector. */
  proposed: boolean;
}

export function pieces(line: Line, found: { at: number; length: number } | null): TextPiece[] {
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
