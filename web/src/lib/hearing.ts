/** The browser's fold of events into a hearing; the same rules as sync/record/hearing.py, so that a page that has received
 * the whole state once needs only the events after it. Idempotent by event number. */

import { AFTER_SEAL, PREROLL_MOST_MS } from './contract';
import { applyRevision, applyUtterance } from './transcript';
import type { EventOf, Hearing, RoomEvent } from './types';

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
    live_muted: false,
    sealed: null,
    sealed_parts: [],
    replaced_by_consent_of: [],
    last_number: 0,
    presented: null,
  };
}

/** The kinds of events that may follow a seal; they are sealed again. */
const SEALED_AGAIN = new Set<string>(AFTER_SEAL);

/** Takes one event of this hearing and changes it in place; an event that it already holds changes nothing. */
export function applyEvent(hearing: Hearing, event: RoomEvent): void {
  if (event.hearing !== hearing.id || event.number <= hearing.last_number) return;
  hearing.last_number = event.number;
  if (hearing.sealed && SEALED_AGAIN.has(event.kind)) hearing.sealed.late += 1;
  switch (event.kind) {
    case 'open':
      hearing.state = 'open';
      hearing.opened_ms = event.room_ms;
      hearing.opened_utc_ms = event.utc_ms;
      hearing.recorded_from_ms = recordedFrom(event);
      hearing.case = event.body.case ?? hearing.case;
      hearing.seats = event.body.seats ?? [];
      hearing.tracks = event.body.tracks ?? [];
      break;
    case 'pause':
      hearing.state = 'paused';
      hearing.pauses.push({ from_ms: event.room_ms, to_ms: null, reason: event.body.reason });
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
      const { id, ignored } = event.body;
      const others = hearing.ignored.filter((one) => one !== id);
      hearing.ignored = ignored === true ? [...others, id] : others;
      break;
    }
    case 'exhibit':
      if (!hearing.exhibits.some((e) => e.id === event.body.id)) hearing.exhibits.push({ sm3: '', converted: '', drawn: 0, ...event.body });
      break;
    case 'drawn': {
      const exhibit = hearing.exhibits.find((e) => e.id === event.body.exhibit);
      if (exhibit) exhibit.drawn += event.body.pictures.filter((p) => p.scale === 1).length;
      break;
    }
    case 'present':
      endPresentation(hearing, event.room_ms);
      hearing.presentations.push({ ...event.body, from_ms: event.room_ms, to_ms: null });
      hearing.presented = hearing.presentations.at(-1) ?? null;
      break;
    case 'withdraw':
      endPresentation(hearing, event.room_ms);
      break;
    case 'mark':
      hearing.marks.push({ ...event.body, at_ms: event.room_ms });
      break;
    case 'gap':
      hearing.gaps.push(event.body);
      break;
    case 'segment':
      hearing.segments.push({ sm3: '', ...event.body });
      break;
    case 'alarm':
      applyAlarm(hearing, event);
      break;
    case 'seal': {
      const { index, leaves, root, words_complete } = event.body;
      hearing.sealed = { at_utc_ms: event.utc_ms, index, leaves, root, words_complete, late: 0 };
      break;
    }
    case 'mute':
      hearing.live_muted = event.body.muted === true;
      break;
    case 'sealed_part':
      applySealedPart(hearing, event);
      break;
    case 'replacement':
      hearing.replaced_by_consent_of = [...event.body.consents];
      break;
    case 'clock':
      // 0: the clock did not step; the event only gives its uncertainty.
      if (event.body.by_ms) hearing.clock_steps.push({ at_ms: event.room_ms, ...event.body });
      break;
  }
}

function recordedFrom(opened: EventOf<'open'>): number {
  const said = opened.body.from_ms ?? opened.room_ms;
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

/** A part of a room begins or, said again, ends; never before the moment in which that was said. */
function applySealedPart(hearing: Hearing, event: EventOf<'sealed_part'>): void {
  const { id, from_ms, to_ms, level, by, reason } = event.body;
  const known = hearing.sealed_parts.find((part) => part.id === id);
  if (known) {
    if (known.to_ms === null && to_ms !== null) known.to_ms = Math.max(to_ms, event.room_ms);
  } else {
    // What is wrong with its ends the room has judged: it says its whole state anew after each of these events.
    hearing.sealed_parts.push({ id, from_ms, to_ms, level, by, reason, at_utc_ms: event.utc_ms });
  }
}

function applyAlarm(hearing: Hearing, event: EventOf<'alarm'>): void {
  const { code, subject, text, cleared } = event.body;
  const known = hearing.alarms.find((a) => a.code === code && a.subject === subject && a.cleared_ms === null);
  if (known && cleared) known.cleared_ms = event.room_ms;
  else if (!known && !cleared) {
    hearing.alarms.push({ code, subject, text, raised_ms: event.room_ms, cleared_ms: null });
  }
}
