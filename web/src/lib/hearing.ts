/** The browser's fold of events into a hearing; the same rules as sync/record/hearing.py, so that a page that has received
 * the whole state once needs only the events after it. Idempotent by event number. */

import type { Exhibit, Gap, Hearing, HearingAlarm, Mark, Pause, Presentation, RoomEvent, Seal, Segment } from './types';
import { applyRevision, applyUtterance } from './transcript';

export function emptyHearing(id: string): Hearing {
  return {
    id,
    state: 'open',
    opened_ms: 0,
    opened_utc_ms: 0,
    recorded_from_ms: 0,
    closed_ms: null,
    case: { id: '', case_no: '', cause: '', title: '', parties: {}, public: true },
    seats: [],
    tracks: [],
    pauses: [],
    utterances: [],
    voices: [],
    ignored: [],
    exhibits: [],
    presentations: [],
    marks: [],
    gaps: [],
    segments: [],
    alarms: [],
    clock_steps: [],
    sealed: null,
    last_number: 0,
    presented: null,
  };
}

/** The kinds of events that may follow a seal; they are sealed again. */
const AFTER_SEAL = new Set(['utterance', 'revision', 'check', 'transcript', 'signature', 'objection', 'document']);

/** Takes one event of this hearing and changes it in place; an event that it already holds changes nothing. */
export function applyEvent(hearing: Hearing, event: RoomEvent): void {
  if (event.hearing !== hearing.id || event.number <= hearing.last_number) return;
  hearing.last_number = event.number;
  const body = event.body;
  if (hearing.sealed && AFTER_SEAL.has(event.kind)) hearing.sealed.late += 1;
  switch (event.kind) {
    case 'open':
      hearing.state = 'open';
      hearing.opened_ms = event.room_ms;
      hearing.opened_utc_ms = event.utc_ms;
      hearing.recorded_from_ms = recordedFrom(event);
      Object.assign(hearing, { case: body.case ?? hearing.case, seats: body.seats ?? [], tracks: body.tracks ?? [] });
      break;
    case 'pause':
      hearing.state = 'paused';
      hearing.pauses.push({ from_ms: event.room_ms, to_ms: null, reason: body.reason as Pause['reason'] });
      endPresentation(hearing, event.room_ms);
      break;
    case 'resume':
      hearing.state = 'open';
      endPause(hearing, event.room_ms);
      break;
    case 'close':
      hearing.state = 'closed';
      hearing.closed_ms = event.room_ms;
      endPause(hearing, event.room_ms);
      endPresentation(hearing, event.room_ms);
      break;
    case 'utterance':
      applyUtterance(hearing, event);
      break;
    case 'revision':
      applyRevision(hearing, event);
      break;
    case 'check': {
      const others = (hearing.ignored ?? []).filter((id) => id !== body.id);
      hearing.ignored = body.ignored === true ? [...others, String(body.id)] : others;
      break;
    }
    case 'exhibit':
      if (!hearing.exhibits.some((e) => e.id === body.id)) hearing.exhibits.push(body as unknown as Exhibit);
      break;
    case 'present': {
      endPresentation(hearing, event.room_ms);
      const view = body as unknown as Presentation;
      hearing.presentations.push({ ...view, from_ms: event.room_ms, to_ms: null });
      hearing.presented = hearing.presentations.at(-1) ?? null;
      break;
    }
    case 'withdraw':
      endPresentation(hearing, event.room_ms);
      break;
    case 'mark':
      hearing.marks.push({ ...(body as unknown as Mark), at_ms: event.room_ms });
      break;
    case 'gap':
      hearing.gaps.push(body as unknown as Gap);
      break;
    case 'segment':
      hearing.segments.push(body as unknown as Segment);
      break;
    case 'alarm':
      applyAlarm(hearing, event);
      break;
    case 'seal': {
      const { index, leaves, root, words_complete } = body as unknown as Seal;
      hearing.sealed = { at_utc_ms: event.utc_ms, index, leaves, root, words_complete, late: 0 };
      break;
    }
    case 'mute':
      hearing.live_muted = body.muted === true;
      break;
    case 'clock':
      // 0: the clock did not step; the event only gives its uncertainty.
      if (body.by_ms) hearing.clock_steps.push({ at_ms: event.room_ms, ...body });
      break;
  }
}

const PREROLL_MOST_MS = 10_000;

function recordedFrom(opened: RoomEvent): number {
  const said = typeof opened.body.from_ms === 'number' ? opened.body.from_ms : opened.room_ms;
  return Math.max(Math.min(said, opened.room_ms), opened.room_ms - PREROLL_MOST_MS);
}

/** How long the hearing has been recorded at `nowMs` (room time), without its pauses. */
export function recordedMs(hearing: Hearing, nowMs: number): number {
  const end = hearing.closed_ms ?? nowMs;
  const paused = hearing.pauses.reduce((sum, p) => sum + ((p.to_ms ?? end) - p.from_ms), 0);
  return Math.max(0, end - hearing.opened_ms - paused);
}

function endPresentation(hearing: Hearing, atMs: number): void {
  const last = hearing.presentations.at(-1);
  if (last && last.to_ms === null) last.to_ms = atMs;
  hearing.presented = null;
}

function endPause(hearing: Hearing, atMs: number): void {
  const last = hearing.pauses.at(-1);
  if (last && last.to_ms === null) last.to_ms = atMs;
}

function applyAlarm(hearing: Hearing, event: RoomEvent): void {
  const { code, subject, text, cleared } = event.body as { code: string; subject: string; text: string; cleared?: boolean };
  const known = hearing.alarms.find((a) => a.code === code && a.subject === subject && a.cleared_ms === null);
  if (known && cleared) known.cleared_ms = event.room_ms;
  else if (!known && !cleared) {
    const alarm: HearingAlarm = { code, subject, text, raised_ms: event.room_ms, cleared_ms: null };
    hearing.alarms.push(alarm);
  }
}
