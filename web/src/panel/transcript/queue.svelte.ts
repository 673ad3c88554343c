/** The acts of this panel on their way to the room's log: one after the other, kept in this browser until the server
 * has them, tried again by themselves. What the server does not take becomes a conflict for the clerk to settle; nothing
 * is dropped without a person's word. */

import { ApiError, api } from '../../lib/api';
import type { Change } from '../../lib/transcript';
import type { Line, RoomEvent } from '../../lib/types';
import { linesOf } from './changes';

export interface Queued {
  id: string;
  path: 'revisions' | 'voice' | 'undo';
  act: string;
  reason: string;
  changes: Change[];
  /** of `voice` and `undo`: what the body says beside the id */
  more: Record<string, string>;
  reopen?: boolean;
  state: 'saving' | 'waiting' | 'written';
  /** of the event, once it is written */
  number: number;
}

export interface Conflict {
  id: string;
  act: string;
  line: string;
  /** what this panel wanted */
  changes: Change[];
  reason: string;
  /** the line as somebody else left it; null when it is not known */
  theirs: Line | null;
  code: string;
  message: string;
}

interface Kept {
  queue: Queued[];
  conflicts: Conflict[];
}

type Post = (path: string, body: unknown) => Promise<{ event: RoomEvent; lines: Line[] }>;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;
/** The server did not take it, and would not take it again. */
const FINAL = new Set(['conflict', 'signed', 'invalid', 'not-found', 'nothing-to-undo', 'no-hearing']);

export class ActQueue {
  queue = $state<Queued[]>([]);
  conflicts = $state<Conflict[]>([]);
  /** why the last act waits */
  why = $state('');
  #key = '';
  #running = false;
  #delayMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiters = new Map<string, (written: boolean) => void>();

  constructor(
    private readonly tab: string,
    private readonly storage: Storage,
    private readonly post: Post = (path, body) => api.post(path, body),
  ) {}

  /** Take up the acts of a hearing that were kept in this browser. */
  open(hearing: string): void {
    const key = `wutong.acts.${hearing}`;
    if (this.#key === key) return;
    this.#key = key;
    let kept: Kept = { queue: [], conflicts: [] };
    try {
      kept = { ...kept, ...(JSON.parse(this.storage.getItem(key) ?? '{}') as Partial<Kept>) };
    } catch {
      // Not ours, or cut short: there is nothing in it that could be sent.
    }
    this.queue = kept.queue.filter((one) => one.state !== 'written');
    this.conflicts = kept.conflicts;
    this.retry();
  }

  /** True when it is written, false when it became a conflict. */
  add(what: Omit<Queued, 'state' | 'number'>): Promise<boolean> {
    const queued: Queued = { ...what, state: 'saving', number: 0 };
    this.queue.push(queued);
    this.#keep();
    const done = new Promise<boolean>((resolve) => this.#waiters.set(what.id, resolve));
    void this.#run();
    return done;
  }

  /** What is written and has come back by the socket needs no looking after any more. */
  seen(number: number): void {
    if (!this.queue.some((one) => one.state === 'written' && one.number <= number)) return;
    this.queue = this.queue.filter((one) => one.state !== 'written' || one.number > number);
    this.#keep();
  }

  /** Try now: the server is back, or a person asks. */
  retry(): void {
    clearTimeout(this.#timer);
    this.#delayMs = FIRST_RETRY_MS;
    void this.#run();
  }

  settle(conflict: Conflict): void {
    this.conflicts = this.conflicts.filter((one) => one.id !== conflict.id);
    this.#keep();
  }

  stateOf(line: string): 'saving' | 'waiting' | null {
    const mine = this.queue.filter((one) => one.state !== 'written' && touches(one, line));
    if (mine.length === 0) return null;
    return mine.some((one) => one.state === 'waiting') ? 'waiting' : 'saving';
  }

  /** How many are not written yet. */
  get pending(): number {
    return this.queue.filter((one) => one.state !== 'written').length;
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (;;) {
        const next = this.queue.find((one) => one.state !== 'written');
        if (!next) break;
        if (!(await this.#send(next))) break;
      }
    } finally {
      this.#running = false;
    }
  }

  async #send(one: Queued): Promise<boolean> {
    const { id, act, reason, changes, more, reopen } = $state.snapshot(one) as Queued;
    const body =
      one.path === 'revisions'
        ? { id, act, tab: this.tab, changes, ...(reason ? { reason } : {}), ...(reopen ? { reopen } : {}) }
        : { id, tab: this.tab, ...more };
    try {
      const { event } = await this.post(`/api/transcript/${one.path}`, body);
      one.state = 'written';
      one.number = event.number;
      this.why = '';
      this.#delayMs = FIRST_RETRY_MS;
      this.#rebase(event);
      this.#keep();
      this.#tell(id, true);
      return true;
    } catch (error) {
      if (error instanceof ApiError && FINAL.has(error.code)) {
        this.#refused(one, error);
        return true;
      }
      // Away, busy or ill: it stays in the queue, and what came after it stays behind it.
      this.why = error instanceof ApiError ? error.code : 'offline';
      for (const waiting of this.queue) if (waiting.state === 'saving') waiting.state = 'waiting';
      this.#keep();
      this.#timer = setTimeout(() => void this.#run(), this.#delayMs);
      this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_RETRY_MS);
      return false;
    }
  }

  /** What waits behind an act of this panel was written on top of it. */
  #rebase(event: RoomEvent): void {
    const wrote = new Set(
      ((event.body.changes ?? []) as Change[]).map((change) => ('new' in change ? change.new.id : change.line)),
    );
    for (const one of this.queue) {
      if (one.state === 'written') continue;
      for (const change of one.changes) {
        if ('line' in change && wrote.has(change.line)) change.base = Math.max(change.base, event.number);
      }
    }
  }

  #refused(one: Queued, error: ApiError): void {
    const theirs = (Array.isArray(error.detail.lines) ? error.detail.lines : []) as Line[];
    const lost = one.path === 'revisions' ? this.queue.filter((other) => other === one || follows(one, other)) : [one];
    const ids = new Set(lost.map((other) => other.id));
    this.queue = this.queue.filter((other) => !ids.has(other.id));
    if (one.path === 'revisions') {
      const named = linesOf(one.changes)[0] ?? '';
      this.conflicts.push({
        id: one.id,
        act: one.act,
        line: named,
        // What was done later to the same lines, on top of what did not count, is part of what was wanted.
        changes: lost.flatMap((other) => $state.snapshot(other.changes) as Change[]),
        reason: one.reason,
        theirs: theirs.find((line) => line.id === named) ?? null,
        code: error.code,
        message: error.message,
      });
    }
    this.#keep();
    this.why = one.path === 'revisions' ? '' : error.code;
    for (const id of ids) this.#tell(id, false);
  }

  #tell(id: string, written: boolean): void {
    this.#waiters.get(id)?.(written);
    this.#waiters.delete(id);
  }

  #keep(): void {
    const kept: Kept = { queue: $state.snapshot(this.queue) as Queued[], conflicts: $state.snapshot(this.conflicts) as Conflict[] };
    try {
      if (kept.queue.length + kept.conflicts.length === 0) this.storage.removeItem(this.#key);
      else this.storage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // A browser that keeps nothing still sends what is on the page.
    }
  }
}

function touches(one: Queued, line: string): boolean {
  if (one.more.line === line) return true;
  return one.changes.some((change) => ('new' in change ? change.new.id : change.line) === line);
}

function follows(first: Queued, other: Queued): boolean {
  return other.state !== 'written' && other.path === 'revisions' && linesOf(first.changes).some((line) => touches(other, line));
}
