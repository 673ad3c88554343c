/** The acts of this panel on their way to the room's log: one after the other, kept in this browser until the server
 * has them, tried again by themselves. What the server does not take becomes a conflict for the clerk to settle; nothing
 * is dropped without a person's word. */

import { ApiError, api } from '../../lib/api';
import type { Change } from '../../lib/transcript';
import type { Line, RevisionAnswer, RoomEvent } from '../../lib/types';
import { linesOf, namesOf } from './lineChanges';
import { BrowserStore } from '../browserStore';

export interface QueuedRevision {
  id: string;
  path: 'revisions' | 'voice' | 'undo';
  act: string;
  reason: string;
  changes: Change[];
  /** The fields of `voice` and `undo` beside the id. */
  more: Record<string, string>;
  reopen?: boolean;
  state: 'saving' | 'waiting' | 'written';
  /** The number of the event, once it is written. */
  number: number;
  /** Acts are sent in ascending order of this. */
  order: number;
}

export interface Conflict {
  id: string;
  act: string;
  line: string;
  /** The changes that this panel wanted. */
  changes: Change[];
  reason: string;
  /** The line as somebody else left it; null when it is not known. */
  theirs: Line | null;
  code: string;
  message: string;
}

type PostRevision = (path: string, body: unknown) => Promise<RevisionAnswer>;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;
/** The server did not take it, and would not take it again. */
const FINAL = new Set(['conflict', 'signed', 'invalid', 'not-found', 'nothing-to-undo', 'no-hearing']);

export class RevisionQueue {
  queue = $state<QueuedRevision[]>([]);
  conflicts = $state<Conflict[]>([]);
  /** Why the last act waits: the error code. */
  why = $state('');
  /** This browser keeps nothing, so what is not sent yet is lost with the page. */
  unkept = $state(false);
  #hearing = '';
  #kept!: BrowserStore<QueuedRevision>;
  #keptConflicts!: BrowserStore<Conflict>;
  #order = Date.now();
  #running = false;
  #closed = false;
  #delayMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The acts of this page that undoing may take back, the last one at the end. */
  #mine: string[] = [];
  #waiters = new Map<string, (written: boolean) => void>();

  constructor(
    private readonly tab: string,
    private readonly storage: Storage,
    private readonly post: PostRevision = (path, body) => api.post(path, body),
  ) {}

  /** Take up the acts of a hearing that were kept in this browser. */
  open(hearing: string): void {
    if (this.#hearing === hearing) return;
    this.#hearing = hearing;
    this.#kept = new BrowserStore(this.storage, `wutong.act.${hearing}/`);
    this.#keptConflicts = new BrowserStore(this.storage, `wutong.conflict.${hearing}/`);
    this.queue = Object.values(this.#kept.all()).sort((a, b) => a.order - b.order);
    this.conflicts = Object.values(this.#keptConflicts.all());
    this.#mine = this.queue.filter((one) => one.path !== 'undo').map((one) => one.id);
    for (const { more } of this.queue) this.#mine = this.#mine.filter((id) => id !== more.revision);
    this.retry();
  }

  /** The page goes; what waits is kept for the next one. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** True when it is written, false when it became a conflict. */
  add(what: Omit<QueuedRevision, 'state' | 'number' | 'order'>): Promise<boolean> {
    this.#order += 1;
    const changes = what.changes.map((change) => this.#over(change));
    const queued: QueuedRevision = { ...what, changes, state: 'saving', number: 0, order: this.#order };
    this.queue.push(queued);
    if (what.path === 'undo') this.#mine = this.#mine.filter((id) => id !== what.more.revision);
    else this.#mine.push(what.id);
    this.#keep(queued);
    const done = new Promise<boolean>((resolve) => this.#waiters.set(what.id, resolve));
    void this.#run();
    return done;
  }

  /** The last act of this page that was not undone; "" when there is none. */
  get last(): string {
    return this.#mine.at(-1) ?? '';
  }

  /** What is written and has come back by the socket needs no looking after any more. */
  seen(number: number): void {
    if (!this.queue.some((one) => one.state === 'written' && one.number <= number)) return;
    this.queue = this.queue.filter((one) => one.state !== 'written' || one.number > number);
  }

  /** Try now: the server is back, or a person asks. */
  retry(): void {
    clearTimeout(this.#timer);
    this.#delayMs = FIRST_RETRY_MS;
    void this.#run();
  }

  settle(conflict: Conflict): void {
    this.conflicts = this.conflicts.filter((one) => one.id !== conflict.id);
    this.#keptConflicts.drop(conflict.id);
  }

  stateOf(line: string): 'saving' | 'waiting' | null {
    const mine = this.queue.filter((one) => one.state !== 'written' && touches(one, line));
    if (mine.length === 0) return null;
    return mine.some((one) => one.state === 'waiting') ? 'waiting' : 'saving';
  }

  /** Whether the page shows a line ahead of the room's log: its change may be written but has not come back yet. */
  ahead(line: string): boolean {
    return this.queue.some((one) => touches(one, line));
  }

  /** How many are not written yet. */
  get pending(): number {
    return this.queue.filter((one) => one.state !== 'written').length;
  }

  async #run(): Promise<void> {
    if (this.#running || this.#closed) return;
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

  async #send(one: QueuedRevision): Promise<boolean> {
    const { id, act, reason, changes, more, reopen } = $state.snapshot(one) as QueuedRevision;
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
      this.#kept.drop(id);
      this.#rebase(event);
      if (this.pending === 0) this.unkept = false;
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
      if (this.#closed) return false;
      this.#timer = setTimeout(() => void this.#run(), this.#delayMs);
      this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_RETRY_MS);
      return false;
    }
  }

  /** What waits behind an act of this panel was written on top of it. */
  #rebase(event: RoomEvent): void {
    const changes = event.kind === 'revision' ? event.body.changes : [];
    const wrote = new Set(namesOf(changes as Change[]));
    for (const one of this.queue) {
      if (one.state === 'written') continue;
      for (const change of one.changes) {
        if ('line' in change && wrote.has(change.line)) change.base = Math.max(change.base, event.number);
      }
      this.#keep($state.snapshot(one) as QueuedRevision);
    }
  }

  /** A change of a line is on top of what this page has written of it, also before that has come back. */
  #over(change: Change): Change {
    if (!('line' in change)) return change;
    const written = this.queue.filter((one) => one.state === 'written' && namesOf(one.changes).includes(change.line));
    return { ...change, base: Math.max(change.base, ...written.map((one) => one.number)) };
  }

  #keep(one: QueuedRevision): void {
    if (!this.#kept.put(one.id, one)) this.unkept = true;
  }

  #refused(one: QueuedRevision, error: ApiError): void {
    const theirs = (Array.isArray(error.detail.lines) ? error.detail.lines : []) as Line[];
    const lost = one.path === 'revisions' ? this.queue.filter((other) => other === one || follows(one, other)) : [one];
    const ids = new Set(lost.map((other) => other.id));
    // Undoing what did not count is nothing; sent all the same it would be another act's undoing.
    for (const other of this.queue) if (other.path === 'undo' && ids.has(other.more.revision ?? '')) ids.add(other.id);
    this.queue = this.queue.filter((other) => !ids.has(other.id));
    this.#mine = this.#mine.filter((id) => !ids.has(id));
    if (one.path === 'undo' && one.more.revision && error.code === 'conflict') this.#mine.push(one.more.revision);
    if (one.path === 'revisions') {
      const named = linesOf(one.changes)[0] ?? ''; // "": a line that was to be made
      const conflict: Conflict = {
        id: one.id,
        act: one.act,
        line: named,
        // What was done later to the same lines, on top of what did not count, is part of what was wanted.
        changes: lost.flatMap((other) => $state.snapshot(other.changes) as Change[]),
        reason: one.reason,
        theirs: theirs.find((line) => line.id === named) ?? null,
        code: error.code,
        message: error.message,
      };
      this.conflicts.push(conflict);
      if (!this.#keptConflicts.put(conflict.id, conflict)) this.unkept = true;
    }
    this.why = one.path === 'revisions' ? '' : error.code;
    for (const id of ids) {
      this.#kept.drop(id);
      this.#tell(id, false);
    }
  }

  #tell(id: string, written: boolean): void {
    this.#waiters.get(id)?.(written);
    this.#waiters.delete(id);
  }
}

function touches(one: QueuedRevision, line: string): boolean {
  if (one.more.line === line) return true;
  return namesOf(one.changes).includes(line);
}

function follows(first: QueuedRevision, other: QueuedRevision): boolean {
  return other.state !== 'written' && other.path === 'revisions' && namesOf(first.changes).some((line) => touches(other, line));
}
