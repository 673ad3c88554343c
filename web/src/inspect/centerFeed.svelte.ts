/**
 * What the center sends to this tab: rooms, captions, levels, events, pictures. All pages share one socket.
 *
 * Pages say which room they are of (`follow`) and which rooms are on the screen (`inSight`), and their players ask the hub
 * for tracks; the socket repeats all of it after every reconnection, so a lost center comes back by itself. Of a room that
 * is not on the screen no picture and no word comes, and what there was of its words is let go of: it would be old.
 */

import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { MOST_IN_SIGHT } from '../lib/contract';
import type { Envelope } from '../lib/envelope';
import { KIND } from '../lib/envelope';
import { MediaHub } from '../lib/live/mediaHub';
import { type Connection, LiveSocket } from '../lib/socket';
import { keysApart } from '../lib/tracks';
import type { Caption, CenterMessage, Levels, RoomEvent, WallRoom } from '../lib/types';
import { CENTER_PATH, type EarlyCenter } from './earlyCenter';
import { addressedTrack } from './firstTrack';
import { HANDED_ON_MS } from './foreseenRoom';
import { HandedOn } from './handedOn';
import { ToldRooms } from './toldRooms';

/** A caption nobody replaced or ended for this long was lost with its ending. */
const CAPTION_LIFE_MS = 12_000;

/** The center says `link` every 5 s; a socket that hears nothing for three of these is dead. */
const SILENCE_MS = 16_000;

/** Who has missed something gets the whole within two seconds; a socket on which it does not come is opened anew. */
const WHOLE_MS = 6000;

/** A page that begins has much to do, and takes up late what comes. */
const LOADING_MS = 1000;

/** Of the center's clock; it is told every five seconds. */
const MOST_OFFSETS = 12;

export interface Still {
  url: string;
  /** Date.now() when it came */
  atMs: number;
}

export class CenterFeed {
  readonly rooms = new SvelteMap<string, WallRoom>();
  /** Running captions by room address, in the order in which people began to speak. */
  readonly captions = new SvelteMap<string, Caption[]>();
  readonly levels = new SvelteMap<string, Levels>();
  /** The last thumbnail by track address. */
  readonly stills = new SvelteMap<string, Still>();
  connection = $state<Connection>('connecting');
  /** The center is connected to its broker, so what is shown is current. */
  broker = $state(true);
  /** The list of rooms has arrived at least once. */
  known = $state(false);
  /** The time of the browser, renewed every second; ages are counted from it. */
  nowMs = $state(Date.now());
  readonly hub: MediaHub;
  /** What a tile showed when it was opened. */
  readonly handedOn = new HandedOn();

  private readonly socket: LiveSocket<CenterMessage>;
  private readonly eventListeners = new Set<(address: string, event: RoomEvent) => void>();
  private readonly sealedListeners = new Set<(hearing: string) => void>();
  private readonly reconnectListeners = new Set<() => void>();
  private readonly followed = new Map<string, number>();
  private readonly clock: ReturnType<typeof setInterval>;
  private readonly captionHeard = new Map<string, number>();
  private readonly told = new ToldRooms(this.rooms, {
    onRoom: (room) => this.roomTold(room),
    onMissed: () => {
      this.missedAtMs = Date.now();
      this.socket.say({ whole: true });
    },
  });
  private sight: readonly string[] = [];
  private foreseen: string | null = null;
  private missedAtMs = 0;
  private offsetMs = 0;
  private readonly offsets: number[] = [];
  private readonly begunMs = Date.now();
  private timed = false;

  /** `early`: what was begun before the page's scripts were there. */
  constructor(onRefused: () => void, early: EarlyCenter | null = null) {
    this.hub = new MediaHub((watch) => {
      this.watched = watch;
      this.announceWants();
    });
    this.hub.keysApart = (address) => {
      const slash = address.lastIndexOf('/');
      return keysApart(this.rooms.get(address.slice(0, slash))?.recorder, address.slice(slash + 1));
    };
    this.foresee(early?.track ?? null);
    this.socket = new LiveSocket<CenterMessage>(CENTER_PATH, {
      onText: (message, atMs) => this.receive(message, atMs),
      onMedia: (envelope) => this.media(envelope),
      onConnection: (state) => (this.connection = state),
      onRefused,
      silenceMs: SILENCE_MS,
      early: early?.take() ?? null,
    });
    this.clock = setInterval(() => this.second(), 1000);
  }

  private watched: string[] = [];

  /** Browser clock minus the center's, milliseconds; 0 until the center has sent its time. */
  clockOffsetMs = (): number => this.offsetMs;

  /** The center has sent its time since this page was loaded: what came meanwhile may have been taken up late. */
  clockSure = (): boolean => this.timed;

  /** Ask for a room's events and levels; the answer ends it. */
  follow(address: string): () => void {
    this.followed.set(address, (this.followed.get(address) ?? 0) + 1);
    this.announceWants();
    return () => {
      const left = (this.followed.get(address) ?? 1) - 1;
      if (left > 0) this.followed.set(address, left);
      else this.followed.delete(address);
      this.announceWants();
    };
  }

  /** The rooms on the screen; of more than `MOST_IN_SIGHT` the others stay without picture and words. */
  inSight(addresses: readonly string[]): void {
    this.sight = [...addresses].sort().slice(0, MOST_IN_SIGHT);
    this.socket.announce('sight', { sight: this.sight });
    this.dropUnseenCaptions();
  }

  onEvent(listener: (address: string, event: RoomEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  /** Called when the center is back: what happened meanwhile must be asked for. */
  onReconnect(listener: () => void): () => void {
    this.reconnectListeners.add(listener);
    return () => this.reconnectListeners.delete(listener);
  }

  /** Called with a hearing of which a part was sealed, ended or lifted. */
  onSealed(listener: (hearing: string) => void): () => void {
    this.sealedListeners.add(listener);
    return () => this.sealedListeners.delete(listener);
  }

  close(): void {
    clearInterval(this.clock);
    this.socket.close();
    this.hub.close();
    for (const still of this.stills.values()) URL.revokeObjectURL(still.url);
  }

  /** Ask for a picture that the page is about to show: its player comes later, and asks for the same. */
  private foresee(track: string | null): void {
    if (track === null) return;
    this.foreseen = track;
    setTimeout(this.hub.listen(track, () => undefined), HANDED_ON_MS);
  }

  private announceWants(): void {
    this.socket.announce('want', { watch: this.watched, rooms: [...this.followed.keys()].sort() });
    this.dropUnseenCaptions();
  }

  private dropUnseenCaptions(): void {
    const seen = new Set([...this.sight, ...this.followed.keys()]);
    // Pages call this from effects, which must not begin anew with every caption.
    untrack(() => {
      for (const address of [...this.captions.keys()]) if (!seen.has(address)) this.captions.delete(address);
    });
  }

  private receive(message: CenterMessage, atMs: number): void {
    switch (message.type) {
      case 'rooms': {
        const again = this.known;
        if (message.utc_ms !== undefined) this.clockTold(message.utc_ms, atMs);
        this.told.whole(message);
        this.known = true;
        if (!again && this.foreseen === null) this.foresee(addressedTrack(message.rooms));
        if (again) for (const listener of this.reconnectListeners) listener();
        break;
      }
      case 'changes':
        this.told.changes(message);
        break;
      case 'sealed':
        for (const listener of this.sealedListeners) listener(message.hearing);
        break;
      case 'caption':
        this.caption(message.room, message.value);
        break;
      case 'levels':
        this.levels.set(message.room, message.value);
        break;
      case 'event':
        if (message.value.kind === 'utterance') this.endCaption(message.room, String(message.value.body.id));
        for (const listener of this.eventListeners) listener(message.room, message.value);
        break;
      case 'link':
        this.broker = message.value.broker;
        this.clockTold(message.utc_ms, atMs);
        this.timed ||= atMs - this.begunMs > LOADING_MS;
        break;
      case 'lost':
        this.hub.lost(message.address, message.slow); // the player goes on with the next key frame by itself
        break;
    }
  }

  /** What the page takes up late makes its own clock look fast: of the last minute's differences the least is true. */
  private clockTold(utcMs: number, atMs: number): void {
    this.offsets.push(atMs - utcMs);
    if (this.offsets.length > MOST_OFFSETS) this.offsets.shift();
    this.offsetMs = Math.min(...this.offsets);
  }

  private roomTold(room: WallRoom): void {
    if (!room.online) this.captions.delete(room.address);
    if (room.hearing?.part_sealed === true) this.letGo(room.address);
  }

  /** What is shown of a room is of a part that may not be seen any more. */
  private letGo(address: string): void {
    this.captions.delete(address);
    this.hub.letGo(address);
    this.handedOn.forget(address);
    for (const [track, still] of this.stills) {
      if (!track.startsWith(`${address}/`)) continue;
      this.stills.delete(track);
      setTimeout(() => URL.revokeObjectURL(still.url), 2000);
    }
  }

  private caption(address: string, caption: Caption): void {
    if (caption.text === '') {
      this.endCaption(address, caption.id);
      return;
    }
    this.captionHeard.set(`${address} ${caption.id}`, Date.now());
    const others = (this.captions.get(address) ?? []).filter((c) => c.id !== caption.id);
    const all = [...others, caption].sort((a, b) => a.start_ms - b.start_ms).slice(-4);
    this.captions.set(address, all);
  }

  private endCaption(address: string, id: string): void {
    this.captionHeard.delete(`${address} ${id}`);
    const all = this.captions.get(address);
    if (all?.some((c) => c.id === id)) this.captions.set(address, all.filter((c) => c.id !== id));
  }

  private media(envelope: Envelope): void {
    if (envelope.kind !== KIND.thumbnail) {
      this.hub.take(envelope);
      return;
    }
    const old = this.stills.get(envelope.address);
    const url = URL.createObjectURL(new Blob([envelope.payload], { type: 'image/jpeg' }));
    this.stills.set(envelope.address, { url, atMs: envelope.utcMs + this.offsetMs });
    if (old !== undefined) setTimeout(() => URL.revokeObjectURL(old.url), 2000); // the tile may still be drawing it
  }

  private second(): void {
    this.nowMs = Date.now();
    const waits = this.connection === 'open' && this.known && !this.told.isWhole;
    if (waits && this.nowMs - this.missedAtMs > WHOLE_MS) {
      this.missedAtMs = this.nowMs;
      this.socket.reopen();
    }
    for (const [address, all] of this.captions) {
      for (const c of all) {
        const heard = this.captionHeard.get(`${address} ${c.id}`) ?? 0;
        if (this.nowMs - heard > CAPTION_LIFE_MS) this.endCaption(address, c.id);
      }
    }
  }
}
