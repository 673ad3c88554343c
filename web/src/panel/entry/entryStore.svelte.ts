/** Who has this panel, and how others come in: asked of the room again and again, so that an end is seen at once. */

import { api, ApiError } from '../../lib/api';
import type { ClerkCredentials, PinEntry, Session, ShownEntry } from '../../lib/types';

const LOOK_MS = 3000;

export class EntryStore {
  entry = $state<ShownEntry | null>(null);
  #timer: ReturnType<typeof setInterval>;

  constructor() {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    void this.look();
  }

  destroy(): void {
    clearInterval(this.#timer);
  }

  /** While the room is away what it said last stays. */
  async look(): Promise<void> {
    try {
      this.entry = await api.get<ShownEntry>('/api/panel');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  get locked(): boolean {
    return this.entry?.me?.locked ?? false;
  }

  async signIn(said: ClerkCredentials): Promise<Session> {
    return this.#then(await api.post<Session>('/api/panel/sign-in', said));
  }

  async byPin(said: PinEntry): Promise<Session> {
    return this.#then(await api.post<Session>('/api/panel/pin', said));
  }

  async byCode(code: string): Promise<Session> {
    return this.#then(await api.signIn(code));
  }

  async setPin(pin: string): Promise<void> {
    await api.put('/api/panel/pin', { pin });
    await this.look();
  }

  async lock(): Promise<void> {
    await api.post('/api/panel/lock');
    await this.look();
  }

  async #then(session: Session): Promise<Session> {
    await this.look();
    return session;
  }
}
