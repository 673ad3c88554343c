/** The rooms as the center tells them: all of them, then what is new. Whoever misses something shows nothing more of
 * what comes after it, and asks for the whole. */

import type { CenterChanges, CenterRooms, WallRoom } from '../lib/types';

export interface ToldRoomsListener {
  /** A room is new, or something of it is. */
  onRoom: (room: WallRoom) => void;
  /** Something was missed: the whole must be asked for. */
  onMissed: () => void;
}

export class ToldRooms {
  /** The number of the last message; null until the whole has come, and after something was missed. */
  #number: number | null = null;

  constructor(
    private readonly rooms: Map<string, WallRoom>,
    private readonly listener: ToldRoomsListener,
  ) {}

  /** Whether what is shown is all that the center has told. */
  get isWhole(): boolean {
    return this.#number !== null;
  }

  whole(message: CenterRooms): void {
    const there = new Set(message.rooms.map((room) => room.address));
    for (const address of [...this.rooms.keys()]) if (!there.has(address)) this.rooms.delete(address);
    for (const room of message.rooms) this.#take(room);
    this.#number = message.number ?? 0;
  }

  changes(message: CenterChanges): void {
    if (this.#number === null) return;
    if (message.number !== this.#number + 1 || message.rooms.some((room) => !this.rooms.has(room.address))) {
      this.#number = null;
      this.listener.onMissed();
      return;
    }
    this.#number = message.number;
    for (const news of message.rooms) {
      const known = this.rooms.get(news.address);
      if (known !== undefined) this.#take({ ...known, ...news });
    }
  }

  #take(room: WallRoom): void {
    this.rooms.set(room.address, room);
    this.listener.onRoom(room);
  }
}
