/** The read-through (核对): which line is read, and the hearing's own sound of it, line after line. */

import { api, ApiError } from '../../lib/api';
import type { Line } from '../../lib/types';

export class ReadThroughPlayer {
  playing = $state(false);
  /** Go on to the next line when one has been heard. */
  follow = $state(true);
  /** There is no sound of this line. */
  silent = $state(false);
  failure = $state<unknown>(null);
  /** Lines that were played to their end. */
  heard = $state<string[]>([]);
  #audio = new Audio();
  #url = '';
  #fetching: AbortController | null = null;
  #line: Line | null = null;
  /** The line that is being read, even when others insert lines before it, and its last place. */
  #read = $state('');
  #was = $state(0);

  constructor(
    private readonly lines: () => Line[],
    private readonly kept: string,
  ) {
    this.#audio.addEventListener('ended', () => this.#ended());
    this.#read = sessionStorage.getItem(kept) ?? '';
  }

  /** The place of the line that is read. */
  place = $derived.by(() => {
    const lines = this.lines();
    const at = this.#read ? lines.findIndex((line) => line.id === this.#read) : -1;
    return at >= 0 ? at : Math.max(0, Math.min(this.#was, lines.length - 1));
  });

  get line(): Line | null {
    return this.lines()[this.place] ?? null;
  }

  /** Stay at the line that is read now: nothing takes the reader on but a person. */
  hold(): void {
    this.stop();
    this.#at(this.place);
  }

  go(place: number): void {
    const playing = this.playing;
    this.stop();
    this.#at(place);
    this.silent = false;
    if (playing) void this.play();
  }

  #at(place: number): void {
    const lines = this.lines();
    this.#was = Math.max(0, Math.min(place, lines.length - 1));
    this.#read = lines[this.#was]?.id ?? '';
    sessionStorage.setItem(this.kept, this.#read);
  }

  toggle(): void {
    if (this.playing) this.stop();
    else void this.play();
  }

  async play(line = this.line): Promise<void> {
    this.stop();
    if (!line) return;
    this.#line = line;
    if (line.id === this.line?.id) this.#at(this.place);
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
    if (!this.playing) return; // stopped a moment before
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
