/** The transcript (笔录) as the browser folds it: the same rules as sync/record/transcript.py, held to it by cases that both
 * run (tests/sync/record/transcript_cases.json). Positions in a text are in characters (code points), never in UTF-16 units. */

import { CLERK, CORRECTOR, UNSURE_BELOW } from './contract';
import type { EventOf, Hearing, InsertedLine, Line, LineSettings, NewRevision, Proposal, RevisionBody, SpokenWord } from './types';

export type ActName = NewRevision['act'];

/** What can be set on a line. */
export type Settings = LineSettings;

/** A line that a clerk writes; it comes after the line `after`, or by its time. */
export type NewLine = InsertedLine & { after: string; seat: string; source: 'typed' | 'phrase' | 'split' };

/** `base`: the `revision` of the line that the writer has seen. */
export type Change =
  | { line: string; base: number; set: Settings }
  | { line: string; base: number; propose: Proposal[] }
  | { new: NewLine };

const SETTABLE = ['doubtful', 'end_ms', 'gone', 'role', 'seat', 'start_ms', 'struck', 'text'] as const;

/** The part of a hearing that this module folds. */
export type Words = Pick<Hearing, 'utterances' | 'voices'>;

/** A line that nobody has touched. */
export function newLine(said: Partial<Line> & Pick<Line, 'id' | 'text'>): Line {
  return {
    seat: '',
    role: '',
    start_ms: 0,
    end_ms: 0,
    confidence: null,
    voice: '',
    source: 'speech',
    revision: 0,
    written_utc_ms: 0,
    touched: false,
    struck: false,
    doubtful: false,
    gone: '',
    unsure: [],
    proposals: [],
    versions: [],
    ...said,
  };
}

/** Takes what the engine recognized; a second utterance of the same id is ignored. */
export function applyUtterance(words: Words, event: EventOf<'utterance'>): void {
  const body = event.body;
  if (words.utterances.some((line) => line.id === body.id)) return;
  const voice = body.voice ?? '';
  const spoken = words.voices.find((one) => one.seat === body.seat && one.voice === voice);
  const line = newLine({
    id: body.id,
    seat: body.seat,
    role: spoken?.role ?? body.role,
    start_ms: body.start_ms,
    end_ms: body.end_ms,
    text: body.text,
    confidence: body.confidence ?? null,
    voice,
    revision: event.number,
    written_utc_ms: event.utc_ms,
    unsure: unsureSpans(body.text, body.words ?? []),
  });
  // Two people may finish out of order; the transcript is in the order in which they began.
  let place = words.utterances.length;
  while (place > 0 && (words.utterances[place - 1]?.start_ms ?? 0) > line.start_ms) place -= 1;
  words.utterances.splice(place, 0, line);
}

/** Take one act of revision; false when it does not count (then every line that it names keeps it as void). */
export function applyRevision(words: Words, event: EventOf<'revision'>): boolean {
  const body = event.body;
  const lines = new Map(words.utterances.map((line) => [line.id, line]));
  if (!counts(body, lines)) {
    for (const change of body.changes) {
      const line = lines.get(change.line ?? '');
      if (line) note(line, event, { ...settings(change.set ?? {}), void: true });
    }
    return false;
  }
  for (const change of body.changes) {
    if (change.new) {
      lines.set(change.new.id, add(words.utterances, change.new, event));
      continue;
    }
    const line = lines.get(change.line ?? '');
    if (!line) continue;
    if (change.propose) line.proposals = change.propose.map((one) => ({ ...one }));
    if (change.set) set(line, change.set, event);
  }
  if (body.voice) {
    const { seat, voice } = body.voice;
    words.voices = [...words.voices.filter((one) => one.seat !== seat || one.voice !== voice), body.voice];
  }
  return true;
}

function counts(body: RevisionBody, lines: Map<string, Line>): boolean {
  const named = new Set<string>();
  for (const { new: added } of body.changes) {
    if (!added) continue;
    if (named.has(added.id) || lines.has(added.id)) return false;
    named.add(added.id);
  }
  return body.changes.every((change) => {
    if (change.new) return !change.new.after || lines.has(change.new.after) || named.has(change.new.after);
    const line = lines.get(change.line ?? '');
    return line !== undefined && line.revision === change.base && !(body.by === CORRECTOR && line.touched);
  });
}

function add(list: Line[], said: InsertedLine, event: EventOf<'revision'>): Line {
  const { after, source, ...rest } = said;
  const touched = event.body.by === CLERK;
  const line = newLine({
    ...rest,
    source: (source ?? 'typed') as Line['source'],
    revision: event.number,
    written_utc_ms: event.utc_ms,
    touched,
  });
  let place = after ? list.findIndex((other) => other.id === after) + 1 : 0;
  if (place === 0) {
    place = list.findIndex((other) => other.start_ms > line.start_ms);
    if (place < 0) place = list.length;
  }
  list.splice(place, 0, line);
  return list[place] ?? line;
}

function set(line: Line, values: Settings, event: EventOf<'revision'>): void {
  if (typeof values.text === 'string' && values.text !== line.text) {
    line.unsure = moved(line.unsure, line.text, values.text);
    line.proposals = movedProposals(line.proposals, line.text, values.text);
  }
  note(line, event, settings(values));
  Object.assign(line, settings(values));
  line.revision = event.number;
  line.touched = line.touched || event.body.by === CLERK;
}

function note(line: Line, event: EventOf<'revision'>, values: Settings & { void?: boolean }): void {
  const body = event.body;
  const versions = line.versions;
  if (versions.length === 0) {
    const by = line.source === 'speech' ? 'engine' : CLERK;
    const { revision: number, written_utc_ms: utc_ms, source: act, text, role } = line;
    versions.push({ number, utc_ms, by, act, text, role });
  }
  const reason = body.reason ? { reason: body.reason } : {};
  versions.push({ number: event.number, id: body.id, utc_ms: event.utc_ms, by: body.by, act: body.act, ...reason, ...values });
}

function settings(values: Settings): Settings {
  return Object.fromEntries(SETTABLE.filter((key) => values[key] !== undefined).map((key) => [key, values[key]]));
}

/** Where spans of a text are in its next version; what lies in the changed part is dropped. */
export function moved(spans: [number, number][], before: string, after: string): [number, number][] {
  const was = [...before];
  const { head, tail } = changed(before, after);
  const shift = [...after].length - was.length;
  const kept = spans.filter(([, to]) => to <= head);
  const later = spans.filter(([from, to]) => from >= Math.max(was.length - tail, head) && to > head);
  return [...kept, ...later.map(([from, to]): [number, number] => [from + shift, to + shift])];
}

/** Proposals in the next version of their line; those in the changed part are dropped. */
export function movedProposals(proposals: Proposal[], before: string, after: string): Proposal[] {
  return proposals.flatMap((one) => moved([[one.at, one.at + one.length]], before, after).map(([at]) => ({ ...one, at })));
}

/** How many characters two texts have in common at their beginnings (`head`) and, after that, at their ends (`tail`). */
export function changed(before: string, after: string): { head: number; tail: number } {
  const was = [...before];
  const is = [...after];
  const most = Math.min(was.length, is.length);
  let head = 0;
  while (head < most && was[head] === is[head]) head += 1;
  let tail = 0;
  while (tail < most - head && was[was.length - 1 - tail] === is[is.length - 1 - tail]) tail += 1;
  return { head, tail };
}

/** Both changes of one text in one, when they are at different places of it; else null: a person has to choose. */
export function merged(base: string, mine: string, theirs: string): string | null {
  if (mine === base || mine === theirs) return theirs;
  if (theirs === base) return mine;
  const length = [...base].length;
  const a = changed(base, mine);
  const b = changed(base, theirs);
  const own = [...mine];
  const other = [...theirs];
  if (length - a.tail < b.head) return [...own.slice(0, own.length - a.tail), ...other.slice(length - a.tail)].join('');
  if (length - b.tail < a.head) return [...other.slice(0, other.length - b.tail), ...own.slice(length - b.tail)].join('');
  return null;
}

function unsureSpans(text: string, words: SpokenWord[]): [number, number][] {
  const spans: [number, number][] = [];
  let at = 0; // in UTF-16 units, as indexOf counts
  const points = (units: number): number => [...text.slice(0, units)].length;
  for (const word of words) {
    const said = word.text.trim();
    const found = said ? text.indexOf(said, at) : -1;
    if (found < 0) continue;
    at = found + said.length;
    if (word.probability >= UNSURE_BELOW) continue;
    const from = points(found);
    const last = spans.at(-1);
    if (last && last[1] === from) last[1] = points(at);
    else spans.push([from, points(at)]);
  }
  return spans;
}
