/** Plays the moment of a line: one at a time, in a loop, slower, or its seat's microphone alone. */

import { api } from '../../lib/api';

const SLOW = 0.75;

export class LinePlayer {
  /** The line that is heard or being fetched. */
  line = $state<string | null>(null);
  loop = $state(false);
  slow = $state(false);
  alone = $state(false);
  failure = $state<unknown>(null);
  #audio = new Audio();
  #url = '';
  #fetching: AbortController | null = null;

  constructor() {
    this.#audio.addEventListener('ended', () => this.stop());
  }

  toggle(line: string): void {
    if (this.line === line) this.stop();
    else void this.play(line);
  }

  async play(line: string): Promise<void> {
    this.stop();
    this.line = line;
    this.failure = null;
    const fetching = new AbortController();
    this.#fetching = fetching;
    try {
      const answer = await api.raw(`/api/transcript/${encodeURIComponent(line)}/sound${this.alone ? '?seat=1' : ''}`, fetching.signal);
      const sound = await answer.blob();
      if (fetching.signal.aborted) return;
      this.#url = URL.createObjectURL(sound);
      this.#audio.src = this.#url;
      this.#set();
      await this.#audio.play();
    } catch (error) {
      if (fetching.signal.aborted) return;
      this.stop();
      this.failure = error;
    }
  }

  stop(): void {
    this.#fetching?.abort();
    this.#fetching = null;
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.line = null;
  }

  turn(what: 'loop' | 'slow' | 'alone'): void {
    this[what] = !this[what];
    this.#set();
    if (what === 'alone' && this.line !== null) void this.play(this.line);
  }

  #set(): void {
    this.#audio.loop = this.loop;
    this.#audio.playbackRate = this.slow ? SLOW : 1;
    this.#audio.defaultPlaybackRate = this.#audio.playbackRate;
  }
}
