/** The clerk's hand on the transcript, for all parts of the panel.
 *
 *     editor.lines                         the lines as they will be, with what is still on its way
 *     editor.selected                      the line that the toolbar means
 *     editor.act(act, changes, more)       one act; at once on the screen, true when the log has it
 *     editor.reveal(line, at, length)      show a line, and perhaps a place in it, in the middle
 *
 * What is typed is kept in this browser, line by line, until it is saved or thrown away by a person. */

import { merged, type ActName, type Change, type NewLine, type Settings } from '../../lib/transcript';
import type { Hearing, Line } from '../../lib/types';
import { flat, leastEnd, merging, newId, overlaid, setting, splitting, writableChanges } from './lineChanges';
import { BrowserStore } from '../browserStore';
import { wantedText } from './conflict';
import type { Draft, Editing, Notice } from './editing';
import { RevisionQueue, type Conflict } from './revisionQueue.svelte';

export interface ActMore {
  /** Given by a caller that undoes this very act later. */
  id?: string;
  reason?: string;
  /** Change signed words, too: the clerk was told that they must be signed again. */
  reopen?: boolean;
}

/** A part of RoomStore. */
export interface RoomOfWords {
  readonly hearing: Hearing | null;
}

export class TranscriptEditor {
  selected = $state<string | null>(null);
  editing = $state<Editing | null>(null);
  drafts = $state<Record<string, Draft>>({});
  /** What the list is asked to show; `nonce` makes asking again a change. */
  revealed = $state.raw<{ line: string; at: number; length: number; nonce: number } | null>(null);
  /** A sentence for the clerk: a key of the messages. */
  notice = $state<Notice | null>(null);
  /** Where the cursor is in what is being typed, in characters; where it begins when set before `edit`. */
  caret = $state(0);
  /** An input method is composing: the text under it must not be changed. */
  composing = false;
  readonly queue: RevisionQueue;
  readonly tab: string;
  #hearing = '';
  #kept!: BrowserStore<Draft>;

  constructor(
    private readonly room: RoomOfWords,
    private readonly storage: Storage = localStorage,
    queue?: RevisionQueue,
  ) {
    this.tab = sessionStorage.getItem('wutong.tab') ?? newId();
    sessionStorage.setItem('wutong.tab', this.tab);
    this.queue = queue ?? new RevisionQueue(this.tab, storage);
  }

  get hearing(): Hearing | null {
    return this.room.hearing;
  }

  /** Every line that is there to read, as it will be when all that waits is written. */
  lines = $derived.by<Line[]>(() => {
    const hearing = this.room.hearing;
    if (!hearing) return [];
    const waiting = this.queue.queue.filter((one) => one.state !== 'written' || one.number > hearing.last_number);
    return overlaid(hearing.utterances, waiting.map((one) => one.changes)).filter((line) => !line.gone);
  });

  /** The place in `lines` by id: every row asks for it, in hearings of thousands of lines. */
  #places = $derived(new Map(this.lines.map((line, place) => [line.id, place])));

  /** The line by its id, as it is shown. */
  line(id: string | null): Line | null {
    const place = id === null ? undefined : this.#places.get(id);
    return place === undefined ? null : (this.lines[place] ?? null);
  }

  /** Call it in an effect: takes up what was kept for a hearing, and what others did to the line under the hand. */
  follow(): void {
    const hearing = this.room.hearing;
    if (!hearing) return;
    this.#open(hearing.id);
    this.queue.seen(hearing.last_number);
    const editing = this.editing;
    if (!editing || editing.fresh || this.composing) return;
    const line = this.line(editing.line);
    if (!line || line.revision === editing.base) return;
    const text = merged(editing.was, editing.text, line.text);
    if (text === null) return; // the server will say so, and the clerk choose
    if (text !== editing.text && editing.text !== editing.was) this.notice = 'edit.merged';
    Object.assign(editing, { base: line.revision, was: line.text, text });
    this.#keep(editing);
  }

  /** One act of the clerk; on the screen at once. True when the room's log has it. */
  act(act: ActName, changes: Change[], { id = newId(), reason = '', reopen = false }: ActMore = {}): Promise<boolean> {
    return this.queue.add({ id, path: 'revisions', act, reason, changes: writableChanges(changes), more: {}, reopen });
  }

  /** Show a line in the middle of the list, `length` characters from `at` marked. */
  reveal(line: string, at = 0, length = 0): void {
    this.select(line);
    this.revealed = { line, at, length, nonce: (this.revealed?.nonce ?? 0) + 1 };
  }

  /** Which line the toolbar means; whatever was being typed in another one is saved. */
  select(id: string | null): void {
    if (this.editing && this.editing.line !== id) this.commit();
    this.selected = id;
  }

  /** Type in a line, from a kept draft where there is one, at character `caret` (its end). */
  edit(id: string, caret = Infinity): void {
    const line = this.line(id);
    const draft = this.drafts[id];
    if (this.editing?.line === id || (!line && !draft?.fresh)) return;
    this.select(id);
    this.notice = null;
    this.caret = Math.min(caret, [...(draft?.text ?? line?.text ?? '')].length);
    if (draft) this.editing = { line: id, theirs: null, ...draft };
    else if (line) this.editing = { line: id, base: line.revision, was: line.text, text: line.text, fresh: null, theirs: null };
  }

  /** Begin a line below another one (or, without one, at the end); it is written when there is text in it. */
  insertBelow(id: string | null): void {
    this.commit();
    const above = this.line(id) ?? this.lines.at(-1) ?? null;
    const hearing = this.room.hearing;
    if (!hearing) return;
    const seat = hearing.seats[0];
    const at = above?.end_ms ?? hearing.opened_ms;
    const fresh: NewLine = {
      id: newId(),
      after: above?.id ?? '',
      seat: above?.seat ?? seat?.id ?? '',
      role: above?.role ?? seat?.role ?? '',
      start_ms: at,
      end_ms: leastEnd(at),
      text: '',
      source: 'typed',
    };
    this.selected = fresh.id;
    this.editing = { line: fresh.id, base: 0, was: '', text: '', fresh, theirs: null };
  }

  type(text: string): void {
    if (!this.editing) return;
    this.editing.text = text;
    this.#keep(this.editing);
  }

  /** Save what was typed; an emptied line is struck, so that its words stay. */
  commit(more: ActMore = {}): void {
    const editing = this.editing;
    if (!editing) return;
    const text = editing.text.trim();
    this.editing = null;
    this.forget(editing.line);
    if (editing.fresh) {
      if (text) void this.act('insert', [{ new: { ...editing.fresh, text } }], more);
    } else if (text === '') {
      if (editing.was) void this.act('strike', [{ line: editing.line, base: editing.base, set: { struck: true } }], more);
    } else if (text !== editing.was) {
      void this.act('edit', [{ line: editing.line, base: editing.base, set: { text } }], more);
    }
  }

  /** Leave without saving; what was typed stays as a draft of the line. */
  leave(): void {
    const editing = this.editing;
    this.editing = null;
    if (editing && editing.text.trim() === editing.was.trim()) this.forget(editing.line);
  }

  /** Leave without saving, and keep nothing: a person says so. */
  drop(line: string): void {
    if (this.editing?.line === line) this.editing = null;
    this.forget(line);
  }

  /** Throw a draft away. */
  forget(line: string): void {
    this.drafts = without(this.drafts, line);
    this.#kept.drop(line);
  }

  /** At the cursor, or at character `at` of the line. */
  split(id: string, at = this.editing?.line === id ? this.caret : 0): void {
    const line = this.#typed(id);
    if (!line) return;
    if (at <= 0 || at >= [...line.text].length) {
      this.edit(id);
      this.notice = 'edit.split.where';
      return;
    }
    const changes = splitting(line, line.text, at);
    const rest = changes.find((change) => 'new' in change);
    this.#finish(line);
    void this.act('split', changes);
    if (rest && 'new' in rest) this.selected = rest.new.id;
  }

  mergeWithNext(id: string): void {
    const line = this.#typed(id);
    const next = this.next(id, 1);
    if (!line || !next) return;
    if (line.struck || next.struck) {
      this.notice = 'edit.merge.struck'; // struck words would be live ones again, or live ones struck
      return;
    }
    const changes = merging(line, line.text, next);
    this.#finish(line);
    void this.act('merge', changes);
  }

  set(id: string, act: ActName, values: Settings): void {
    if (this.editing?.line === id && !this.editing.fresh) this.commit();
    const line = this.line(id);
    if (line) void this.act(act, [setting(line, values)]);
  }

  /** Another speaker for this line, or for all that was said with its voice. */
  speaker(id: string, role: string, seat: string, voice: boolean): void {
    const editing = this.editing;
    if (editing?.line === id && editing.fresh) {
      Object.assign(editing.fresh, { role, seat });
      this.#keep(editing);
      return;
    }
    if (!voice) {
      this.set(id, 'speaker', { role, seat });
      return;
    }
    this.commit();
    const line = this.line(id);
    if (!line) return;
    // The server says which other lines it is; this one is shown at once.
    const changes = [setting(line, { role })];
    const more = { line: id, role };
    void this.queue.add({ id: newId(), path: 'voice', act: 'voice', reason: '', changes, more }).then((written) => {
      if (!written) this.#refused('error.conflict');
    });
  }

  /** The act named, or the last one of this page; where this page has done nothing, the last one of this panel. The act
   * is named as it is meant now: whatever becomes of it on its way, no other one is taken back. */
  async undo(revision = ''): Promise<void> {
    this.leave();
    const meant = revision || this.queue.last;
    const more: Record<string, string> = meant ? { revision: meant } : {};
    const undone = await this.queue.add({ id: newId(), path: 'undo', act: 'undo', reason: '', changes: [], more });
    if (!undone && !this.queue.conflicts.some((one) => one.id === meant)) this.#refused('edit.undo.late');
  }

  /** Settle a conflict: write what was wanted on top of what is there now. */
  keepMine(conflict: Conflict, reopen = false): void {
    this.queue.settle(conflict);
    const changes: Change[] = [];
    for (const change of conflict.changes) {
      const line = 'line' in change ? this.line(change.line) : null;
      changes.push(line && 'line' in change ? { ...change, base: line.revision } : change);
    }
    const act = conflict.act as ActName;
    void this.queue.add({ id: newId(), path: 'revisions', act, reason: conflict.reason, changes: flat(changes), more: {}, reopen });
  }

  takeTheirs(conflict: Conflict): void {
    this.queue.settle(conflict);
  }

  /** Settle a conflict by hand: type on, with the other text beside it. What was to be inserted, or has no line any
   * more, is a new line that is not written yet. */
  mergeByHand(conflict: Conflict): void {
    const line = this.line(conflict.line);
    const mine = wantedText(conflict);
    const fresh = line ? null : this.#anew(conflict, mine ?? '');
    const name = line?.id ?? fresh?.id;
    if (mine === null || name === undefined) return;
    this.queue.settle(conflict);
    this.select(name);
    const was = line?.text ?? '';
    this.editing = { line: name, base: line?.revision ?? 0, was, text: mine, fresh, theirs: line?.text ?? null };
    this.caret = [...mine].length;
    this.#keep(this.editing);
  }

  /** The line `by` places further on the screen. */
  next(id: string | null, by: number): Line | null {
    const place = id === null ? undefined : this.#places.get(id);
    return place === undefined ? null : (this.lines[place + by] ?? null);
  }

  /** What has no text of its own to settle is said in a sentence. */
  #refused(otherwise: Notice): void {
    const { why } = this.queue;
    this.notice = why === 'nothing-to-undo' ? 'edit.nothing' : why === 'signed' ? 'error.signed' : otherwise;
    this.queue.why = '';
  }

  /** A line with what is being typed in it, and the version on which that began: where it could not be merged with
   * somebody else's text, the server is to say so. */
  #typed(id: string): Line | null {
    const line = this.line(id);
    if (!line || this.editing?.line !== id) return line;
    return { ...line, text: this.editing.text, revision: this.editing.base };
  }

  #anew(conflict: Conflict, text: string): NewLine | null {
    const wanted = flat(conflict.changes).flatMap((change) => ('new' in change ? [change.new] : []))[0];
    const lines = this.room.hearing?.utterances ?? [];
    if (!wanted || conflict.line) {
      const lost = lines.find((line) => line.id === conflict.line) ?? conflict.theirs;
      if (!lost) return null;
      const { id: after, seat, role, start_ms, end_ms } = lost;
      return { id: newId(), after: lines.some((line) => line.id === after) ? after : '', seat, role, start_ms, end_ms, text, source: 'typed' };
    }
    const after = lines.some((line) => line.id === wanted.after) ? wanted.after : '';
    return { ...wanted, id: newId(), after, text };
  }

  #finish(line: Line): void {
    if (this.editing?.line !== line.id) return;
    this.editing = null;
    this.forget(line.id);
  }

  #open(hearing: string): void {
    if (this.#hearing === hearing) return;
    this.#hearing = hearing;
    this.#kept = new BrowserStore(this.storage, `wutong.draft.${hearing}/`);
    this.editing = null;
    this.selected = null;
    this.drafts = this.#kept.all();
    this.queue.open(hearing);
  }

  #keep(editing: Editing): void {
    const { line, text, was, base, fresh } = $state.snapshot(editing) as Editing;
    if (text === was) {
      this.forget(line);
      return;
    }
    const draft: Draft = { text, was, base, fresh };
    const known = this.drafts[line];
    // In place: who only asks which drafts there are hears nothing of every key.
    if (known) Object.assign(known, draft);
    else this.drafts[line] = draft;
    if (!this.#kept.put(line, draft)) this.queue.unkept = true;
  }
}

function without(drafts: Record<string, Draft>, line: string): Record<string, Draft> {
  return Object.fromEntries(Object.entries(drafts).filter(([name]) => name !== line));
}
