/**
 * What the center sends to this tab: rooms, captions, levels, events, pictures. All pages share one socket.
 *
 * Pages say which rooms they look at (`follow`) and their players ask the hub for tracks; the socket repeats both after
 * every reconnection, so a lost center comes back by itself.
 */

import { SvelteMap } from 'svelte/reactivity';
import type { Envelope } from '../lib/envelope';
import { KIND } from '../lib/envelope';
import { MediaHub } from '../lib/live/mediaHub';
import { type Connection, LiveSocket } from '../lib/socket';
import type { Caption, CenterMessage, Levels, RoomEvent, WallRoom } from '../lib/types';

/** A caption nobody replaced or ended for this long was lost with its ending. */
const CAPTION_LIFE_MS = 12_000;

/** The center says `link` every 5 s; a socket that hears nothing for three of these is dead. */
const SILENCE_MS = 16_000;

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

  private readonly socket: LiveSocket<CenterMessage>;
  private readonly eventListeners = new Set<(address: string, event: RoomEvent) => void>();
  private readonly sealedListeners = new Set<(hearing: string) => void>();
  private readonly reconnectListeners = new Set<() => void>();
  private readonly followed = new Map<string, number>();
  private readonly clock: ReturnType<typeof setInterval>;
  private readonly captionHeard = new Map<string, number>();
  private offsetMs = 0;

  constructor(onRefused: () => void) {
    this.socket = new LiveSocket<CenterMessage>('/api/live', {
      onText: (message) => this.receive(message),
      onMedia: (envelope) => this.media(envelope),
      onConnection: (state) => (this.connection = state),
      onRefused,
      silenceMs: SILENCE_MS,
    });
    this.hub = new MediaHub((watch) => {
      this.watched = watch;
      this.announceWants();
    });
    this.clock = setInterval(() => this.second(), 1000);
  }

  private watched: string[] = [];

  /** Browser clock minus the center's, milliseconds; 0 until the center has sent its time. */
  clockOffsetMs = (): number => this.offsetMs;

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

  private announceWants(): void {
    this.socket.announce('want', { watch: this.watched, rooms: [...this.followed.keys()].sort() });
  }

  private receive(message: CenterMessage): void {
    switch (message.type) {
      case 'rooms': {
        const again = this.known;
        if (message.utc_ms !== undefined) this.offsetMs = Date.now() - message.utc_ms;
        const there = new Set(message.rooms.map((room) => room.address));
        for (const address of [...this.rooms.keys()]) if (!there.has(address)) this.rooms.delete(address);
        for (const room of message.rooms) this.rooms.set(room.address, room);
        this.known = true;
        if (again) for (const listener of this.reconnectListeners) listener();
        break;
      }
      case 'room':
        this.rooms.set(message.room.address, message.room);
        if (!message.room.online) this.captions.delete(message.room.address);
        if (message.room.hearing?.part_sealed === true) this.letGo(message.room.address);
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
        break;
      case 'lost':
        if (message.slow) this.hub.fellBehind(message.address); // the player goes on with the next key frame by itself
        break;
    }
  }

  /** What is shown of a room is of a part that may not be seen any more. */
  private letGo(address: string): void {
    this.captions.delete(address);
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
    for (const [address, all] of this.captions) {
      for (const c of all) {
        const heard = this.captionHeard.get(`${address} ${c.id}`) ?? 0;
        if (this.nowMs - heard > CAPTION_LIFE_MS) this.endCaption(address, c.id);
      }
    }
  }
}
