/** All that the panel knows of its room, kept current by one WebSocket; and what the clerk may do with it. */

import { MediaHub } from '../lib/live/mediaHub';
import { applyEvent, emptyHearing } from '../lib/hearing';
import { type Connection, LiveSocket } from '../lib/socket';
import { devicesOf, keysApart } from '../lib/tracks';
import type { Caption, Hearing, Levels, RecorderStatus, RoomEvent, RoomMessage, RoomState } from '../lib/types';
import { AlarmBook } from './alarmBook.svelte';

/** What can be said about the recording, worst first where several hold. */
export type Recording = 'unknown' | 'idle' | 'closed' | 'paused' | 'starting' | 'none' | 'partial' | 'recording';

/** The recorder speaks once a second; after this silence its word counts for nothing. */
const RECORDER_FRESH_MS = 4000;
/** From opening or resuming to the recorder's word that it keeps. */
const START_GRACE_MS = 3000;
const CAPTION_STALE_MS = 20_000;

export class RoomStore {
  state = $state<RoomState | null>(null);
  connection = $state<Connection>('connecting');
  captions = $state<Caption[]>([]);
  speaking = $state<string[]>([]);
  levels = $state.raw<Levels['seats']>({});
  /** Room time now, milliseconds; moves four times a second. */
  nowMs = $state(0);
  readonly alarms = new AlarmBook();
  readonly hub: MediaHub;

  #socket: LiveSocket<RoomMessage>;
  #anchor = { roomMs: 0, atMs: 0 };
  #recorderHeardAt = -RECORDER_FRESH_MS;
  #tick: ReturnType<typeof setInterval>;

  /** `onRefused`: the server did not let us in; look at the session. */
  constructor(onRefused: () => void) {
    this.#socket = new LiveSocket<RoomMessage>('/api/live', {
      onText: (message) => this.#receive(message),
      onMedia: (envelope) => this.hub.take(envelope),
      onConnection: (connection) => {
        // "connecting" after a loss is still a loss to the person who looks.
        if (connection !== 'connecting' || this.connection !== 'lost') this.connection = connection;
      },
      onRefused,
      silenceMs: 6000,
    });
    this.hub = new MediaHub((watch) => this.#socket.announce('watch', { watch }));
    this.hub.keysApart = (id) => keysApart(this.recorder, id);
    this.#tick = setInterval(() => this.#updateClock(), 250);
  }

  destroy(): void {
    clearInterval(this.#tick);
    this.#socket.close();
    this.hub.close();
  }

  get hearing(): Hearing | null {
    return this.state?.hearing ?? null;
  }

  /** UTC minus room time, milliseconds. */
  get utcOffsetMs(): number {
    return this.state ? this.state.utc_ms - this.state.now_ms : 0;
  }

  get utcMs(): number {
    return this.nowMs + this.utcOffsetMs;
  }

  /** The recorder's word, unless it is too old to be true. */
  recorder = $derived.by<RecorderStatus | null>(() => {
    void this.nowMs;
    return performance.now() - this.#recorderHeardAt < RECORDER_FRESH_MS ? (this.state?.recorder ?? null) : null;
  });

  recording = $derived.by<Recording>(() => {
    const hearing = this.state?.hearing;
    if (!hearing) return this.connection === 'lost' ? 'unknown' : 'idle';
    if (hearing.state === 'closed') return 'closed';
    if (this.connection === 'lost') return 'unknown';
    if (hearing.state === 'paused') return 'paused';
    const since = hearing.pauses.at(-1)?.to_ms ?? hearing.opened_ms;
    const early = this.nowMs - since < START_GRACE_MS;
    const status = this.recorder;
    if (!status || status.hearing !== hearing.id) return early ? 'starting' : 'none';
    const devices = devicesOf(status);
    const kept = devices.filter((track) => track.kept && track.state === 'running');
    if (kept.length === devices.length && kept.length > 0) return 'recording';
    if (early) return 'starting';
    return kept.length === 0 ? 'none' : 'partial';
  });

  #receive(message: RoomMessage): void {
    switch (message.type) {
      case 'state': {
        const { type: _, ...state } = message;
        this.state = state;
        this.captions = state.captions;
        this.speaking = state.speaking;
        this.#anchor = { roomMs: state.now_ms, atMs: performance.now() };
        if (state.recorder) this.#recorderHeardAt = performance.now();
        this.#updateClock();
        break;
      }
      case 'event':
        this.#event(message.event);
        break;
      case 'caption':
        this.#caption(message.value);
        break;
      case 'speaking':
        this.speaking = message.value.seats;
        break;
      case 'levels':
        this.levels = message.value.seats;
        break;
      case 'lost':
        this.hub.lost(message.address, message.slow);
        break;
      default:
        if (!this.state) break;
        if (message.type === 'recorder') {
          this.state.recorder = message.value;
          this.#recorderHeardAt = performance.now();
          this.#notBefore(message.value.at_ms);
        } else if (message.type === 'transcriber') this.state.transcriber = message.value;
        else if (message.type === 'link') this.state.link = message.value;
        else if (message.type === 'integrity') this.state.integrity = message.value;
        else if (message.type === 'selftest') this.state.selftest = message.value;
        else if (message.type === 'alarms') this.state.alarms = message.value;
        else if (message.type === 'signing') this.state.signing = message.value;
        else if (message.type === 'checks') this.state.checks = message.value;
        else if (message.type === 'docket') this.state.docket = message.value;
    }
    if (message.type !== 'levels') this.#watchAlarms();
  }

  #event(event: RoomEvent): void {
    if (!this.state) return;
    if (event.kind === 'open' && event.hearing !== null && this.state.hearing?.id !== event.hearing) {
      this.state.hearing = emptyHearing(event.hearing);
      this.captions = [];
    }
    if (this.state.hearing) applyEvent(this.state.hearing, event);
    if (event.kind === 'utterance') this.captions = this.captions.filter((c) => c.id !== event.body.id);
    if (event.kind === 'close') this.captions = [];
  }

  #caption(caption: Caption): void {
    const others = this.captions.filter((c) => c.id !== caption.id);
    if (this.hearing?.utterances.some((u) => u.id === caption.id)) return;
    this.captions = caption.text === '' ? others : [...others, caption].sort((a, b) => a.start_ms - b.start_ms);
  }

  /** The room said that it was this late: what the page took up while it was still loading made its clock look slow. */
  #notBefore(roomMs: number): void {
    this.#updateClock();
    if (roomMs > this.nowMs) this.#anchor = { roomMs, atMs: performance.now() };
  }

  #updateClock(): void {
    this.nowMs = this.#anchor.roomMs + (performance.now() - this.#anchor.atMs);
    const oldest = this.nowMs - CAPTION_STALE_MS;
    if (this.captions.some((c) => c.end_ms < oldest)) this.captions = this.captions.filter((c) => c.end_ms >= oldest);
  }

  #watchAlarms(): void {
    const ofRecorder = this.state?.recorder?.alarms ?? [];
    const hearing = this.hearing;
    const ofHearing =
      hearing && hearing.state !== 'closed'
        ? hearing.alarms
            .filter((a) => a.cleared_ms === null)
            .map((a) => ({ code: a.code, subject: a.subject, text: a.text, since_ms: a.raised_ms }))
        : [];
    this.alarms.set([...ofRecorder, ...ofHearing, ...(this.state?.alarms ?? [])]);
  }
}
