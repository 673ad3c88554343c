/** One question to the archive: its rows as far as they have come, page behind page, and whether there is more.
 *
 * The server narrows; nothing is filtered here. It looks for a bounded time: a page may say that it came only as far
 * back as a day. Then the next one is asked for at once, until there is a page full or nothing more. */

import type { ArchivedHearings } from '../lib/types';

/** How a page ends. */
export type ArchiveEnd = Pick<ArchivedHearings, 'next' | 'looked_to_utc_ms'>;

export const PAGE = 50;

export class ArchivePages<Row> {
  rows = $state.raw<Row[]>([]);
  busy = $state(false);
  /** Whether all rows are there. */
  complete = $state(false);
  failure = $state.raw<unknown>(null);
  /** Back to which opening was looked, while rows are still looked for. */
  lookedTo_utc_ms = $state.raw<number | null>(null);
  #after = '';
  #ended = false;

  /** `ask(after)` gets the page behind a place; "" is the first. */
  constructor(private readonly ask: (after: string) => Promise<{ rows: Row[]; end: ArchiveEnd }>) {}

  /** Gets rows until a page is full; what fails can be asked again. */
  async more(): Promise<void> {
    if (this.busy || this.complete) return;
    this.busy = true;
    this.failure = null;
    const wanted = this.rows.length + PAGE;
    try {
      while (!this.#ended && !this.complete && this.rows.length < wanted) {
        const { rows, end } = await this.ask(this.#after);
        if (this.#ended) return;
        this.rows = [...this.rows, ...rows];
        this.lookedTo_utc_ms = end.looked_to_utc_ms;
        this.#after = end.next ?? '';
        this.complete = end.next === null;
      }
    } catch (error) {
      if (!this.#ended) this.failure = error;
    } finally {
      this.busy = false;
    }
  }

  /** Another question was asked. */
  end(): void {
    this.#ended = true;
  }
}
