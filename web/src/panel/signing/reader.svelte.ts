/** The read-through (核对): which line is read, and the hearing's own sound of it, line after line. */

import { api, ApiError } from '../../lib/api';
import type { Line } from '../../lib/types';

export class Reader {
  /** the place of the line that is read */
  place = $state(0);
  playing = $state(false);
  /** go on to the next line when one has been heard */
  follow = $state(true);
  /** there is no sound of this line */
  silent = $state(false);
  failure = $state<unknown>(null);
  /** lines that were played to their end */
  heard = $state<string[]>([]);
  #audio = new Audio();
  #url = '';
  #fetching: AbortController | null = null;
  #line: Line | null = null;

  constructor(
    private readonly lines: () => Line[],
    private readonly kept: string,
  ) {
    this.#audio.addEventListener('ended', () => this.#ended());
    const place = Number(sessionStorage.getItem(kept));
    if (Number.isInteger(place) && place > 0) this.place = place;
  }

  get line(): Line | null {
    return this.lines()[Math.min(this.place, this.lines().length - 1)] ?? null;
  }

  go(place: number): void {
    const playing = this.playing;
    this.stop();
    this.place = Math.max(0, Math.min(place, this.lines().length - 1));
    this.silent = false;
    sessionStorage.setItem(this.kept, String(this.place));
    if (playing) void this.play();
  }

  toggle(): void {
    if (this.playing) this.stop();
    else void this.play();
  }

  async play(line = this.line): Promise<void> {
    this.stop();
    if (!line) return;
    this.#line = line;
    this.playing = true;
    this.failure = null;
    this.silent = false;
    const fetching = new AbortController();
    this.#fetching = fetching;
    try {
      const answer = await api.raw(`/api/transcript/${encodeURIComponent(line.id)}/sound`, fetching.signal);
      const sound = await answer.blob();
      if (fetching.signal.aborted) return;
      this.#url = URL.createObjectURL(sound);
      this.#audio.src = this.#url;
      await this.#audio.play();
    } catch (error) {
      if (fetching.signal.aborted) return;
      this.stop();
      if (error instanceof ApiError && error.code === 'no-media') this.silent = true;
      else this.failure = error;
    }
  }

  stop(): void {
    this.#fetching?.abort();
    this.#fetching = null;
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.playing = false;
  }

  #ended(): void {
    const line = this.#line;
    if (line && !this.heard.includes(line.id)) this.heard.push(line.id);
    const next = this.place + 1;
    const on = this.follow && line?.id === this.line?.id && next < this.lines().length;
    this.stop();
    if (!on) return;
    this.go(next);
    void this.play();
  }
}
