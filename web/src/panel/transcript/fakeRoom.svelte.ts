/** What the tests of the editor and of the read-through have in place of a server. */

import { ApiError } from '../../lib/api';
import { applyEvent, emptyHearing } from '../../lib/hearing';
import type { Change } from '../../lib/transcript';
import type { Hearing, RoomEvent } from '../../lib/types';

/** A room that writes as the real one does: an act counts against the newest version or is a conflict. */
export class FakeRoom {
  hearing = $state<Hearing | null>(emptyHearing('h'));
  away = false;
  /** The refusal with which the next request is answered. */
  refusal: ApiError | null = null;
  sent: Record<string, unknown>[] = [];
  /** Events that are written and have not reached the page. */
  held: RoomEvent[] = [];
  hold = false;
  #number = 0;
  readonly log = emptyHearing('h');

  write(kind: string, body: Record<string, unknown>): RoomEvent {
    this.#number += 1;
    const at = { number: this.#number, room_ms: this.#number, utc_ms: this.#number };
    const event = { ...at, hearing: 'h', kind, body } as RoomEvent;
    applyEvent(this.log, event);
    if (this.hold) this.held.push(event);
    else if (this.hearing) applyEvent(this.hearing, event);
    return event;
  }

  say(id: string, text: string, start_ms: number): void {
    this.write('utterance', { id, seat: 'judge', role: '审判长', start_ms, end_ms: start_ms + 1000, text, words: [] });
  }

  edit(line: string, text: string): void {
    const base = this.log.utterances.find((one) => one.id === line)?.revision ?? 0;
    this.write('revision', { id: `other-${this.#number}`, act: 'edit', by: 'clerk', tab: 'other', changes: [{ line, base, set: { text } }] });
  }

  release(): void {
    this.hold = false;
    for (const event of this.held.splice(0)) if (this.hearing) applyEvent(this.hearing, event);
  }

  post = (path: string, sent: unknown): Promise<{ event: RoomEvent; lines: [] }> => {
    const body = { changes: [], ...(sent as Record<string, unknown>) } as Record<string, unknown> & { changes: Change[] };
    this.sent.push({ path, ...body });
    if (this.away) return Promise.reject(new ApiError('offline', 'away', 0));
    if (this.refusal) {
      const refusal = this.refusal;
      this.refusal = null;
      return Promise.reject(refusal);
    }
    const stale = body.changes.some((change) => 'line' in change && this.now(change.line)?.revision !== change.base);
    if (stale) {
      const lines = this.log.utterances.filter((line) => body.changes.some((c) => 'line' in c && c.line === line.id));
      return Promise.reject(new ApiError('conflict', 'changed', 409, { lines }));
    }
    return Promise.resolve({ event: this.write('revision', { ...body, by: 'clerk' }), lines: [] });
  };

  now(line: string): Hearing['utterances'][number] | undefined {
    return this.log.utterances.find((one) => one.id === line);
  }
}
