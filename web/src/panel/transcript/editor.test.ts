import { flushSync } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { pieces } from './lineChanges';
import { TranscriptEditor } from './editor.svelte';
import { FakeRoom } from './fakeRoom.svelte';
import { RevisionQueue } from './revisionQueue.svelte';

let room: FakeRoom;
let editor: TranscriptEditor;

function open(): TranscriptEditor {
  const made = new TranscriptEditor(room, localStorage, new RevisionQueue('tab', localStorage, room.post));
  made.follow();
  return made;
}

const settled = async (): Promise<void> => {
  await vi.waitFor(() => expect(editor.queue.queue.every((one) => one.state !== 'saving')).toBe(true));
  flushSync();
};
const texts = (): string[] => editor.lines.map((line) => line.text);

beforeEach(() => {
  localStorage.clear();
  room = new FakeRoom();
  room.say('u1', '现在开庭', 1000);
  room.say('u2', '我借给他三十万元', 3000);
  editor = open();
});

describe('typing', () => {
  it('is on the screen at once, and in the log soon', async () => {
    room.hold = true;
    editor.edit('u2');
    editor.type('我借给他30万元');
    editor.commit();
    expect(texts()).toEqual(['现在开庭', '我借给他30万元']);
    await settled();
    expect(texts(), 'also between the answer and the event').toEqual(['现在开庭', '我借给他30万元']);
    room.release();
    editor.follow();
    expect(editor.queue.queue).toEqual([]);
    expect(room.now('u2')?.text).toBe('我借给他30万元');
  });

  it('of an emptied line strikes it, so that its words stay', async () => {
    editor.edit('u2');
    editor.type(' ');
    editor.commit();
    await settled();
    expect(room.now('u2')).toMatchObject({ text: '我借给他三十万元', struck: true });
  });

  it('is kept when the page goes, line by line, until it is saved or thrown away', () => {
    editor.edit('u2');
    editor.type('写到一半');
    editor = open();
    expect(editor.drafts.u2?.text).toBe('写到一半');
    editor.edit('u2');
    expect(editor.editing?.text).toBe('写到一半');
    editor.leave();
    expect(editor.drafts.u2?.text).toBe('写到一半');
    editor.forget('u2');
    expect(localStorage.length).toBe(0);
  });

  it('takes in what others change at another place of the line, but never while an input method composes', () => {
    editor.edit('u2');
    editor.type('我借给他三十万元，有借条');
    editor.composing = true;
    room.edit('u2', '原告借给他三十万元');
    editor.follow();
    expect(editor.editing?.text).toBe('我借给他三十万元，有借条');
    editor.composing = false;
    editor.follow();
    expect(editor.editing?.text).toBe('原告借给他三十万元，有借条');
    expect(editor.notice).toBe('edit.merged');
  });

  it('goes on in the next line, and saves this one', async () => {
    editor.edit('u1');
    editor.type('现在宣布开庭');
    editor.edit('u2');
    await settled();
    expect(room.now('u1')?.text).toBe('现在宣布开庭');
    expect(editor.editing?.line).toBe('u2');
  });
});

describe('acts', () => {
  it('split at the cursor and merge again', async () => {
    editor.edit('u2');
    editor.caret = 4;
    editor.split('u2');
    expect(texts()).toEqual(['现在开庭', '我借给他', '三十万元']);
    await settled();
    editor.mergeWithNext('u2');
    await settled();
    expect(texts()).toEqual(['现在开庭', '我借给他三十万元']);
    expect(room.now('u2')).toMatchObject({ start_ms: 3000, end_ms: 4000 });
  });

  it('build on each other while none of them is written', async () => {
    room.away = true;
    editor.set('u2', 'doubt', { doubtful: true });
    editor.split('u2', 4);
    const rest = editor.selected ?? '';
    editor.set(rest, 'edit', { text: '30万元' });
    await settled();
    expect(editor.queue.stateOf('u2')).toBe('waiting');
    expect(texts()).toEqual(['现在开庭', '我借给他', '30万元']);
    room.away = false;
    editor.queue.retry();
    await vi.waitFor(() => expect(editor.queue.pending).toBe(0));
    expect(room.log.utterances.map((line) => line.text)).toEqual(['现在开庭', '我借给他', '30万元']);
    expect(room.now('u2')?.doubtful).toBe(true);
  });

  it('wait for the server through a new page, under the same names', async () => {
    room.away = true;
    editor.set('u1', 'strike', { struck: true });
    await settled();
    const before = room.sent[0]?.id;
    room.away = false;
    editor = open();
    await vi.waitFor(() => expect(room.now('u1')?.struck).toBe(true));
    expect(room.sent.at(-1)?.id).toBe(before);
  });

  it('insert nothing when nothing was typed', async () => {
    editor.insertBelow('u1');
    editor.commit();
    editor.insertBelow('u1');
    editor.type('书记员补记');
    editor.speaker(editor.editing?.line ?? '', '书记员', 'clerk', false);
    editor.commit();
    await settled();
    expect(room.log.utterances.map((line) => [line.text, line.role])).toEqual([
      ['现在开庭', '审判长'],
      ['书记员补记', '书记员'],
      ['我借给他三十万元', '审判长'],
    ]);
  });
});

describe('a conflict', () => {
  async function collide(): Promise<void> {
    editor.edit('u2');
    editor.type('我的说法');
    room.hold = true;
    room.edit('u2', '他的说法');
    editor.commit();
    await settled();
    room.release();
    editor.follow();
  }

  it('shows both texts and loses neither, also on a new page', async () => {
    await collide();
    editor = open();
    const conflict = editor.queue.conflicts[0];
    expect(conflict).toMatchObject({ line: 'u2', code: 'conflict', theirs: { text: '他的说法' } });
    expect(conflict?.changes).toMatchObject([{ set: { text: '我的说法' } }]);
    expect(texts()).toEqual(['现在开庭', '他的说法']);
  });

  it('is settled for mine', async () => {
    await collide();
    const conflict = editor.queue.conflicts[0];
    if (conflict) editor.keepMine(conflict);
    await settled();
    expect(room.now('u2')?.text).toBe('我的说法');
    expect(editor.queue.conflicts).toEqual([]);
  });

  it('is settled for theirs', async () => {
    await collide();
    const conflict = editor.queue.conflicts[0];
    if (conflict) editor.takeTheirs(conflict);
    expect([texts()[1], editor.queue.conflicts.length]).toEqual(['他的说法', 0]);
  });

  it('is settled by hand, with the other text beside', async () => {
    await collide();
    const conflict = editor.queue.conflicts[0];
    if (conflict) editor.mergeByHand(conflict);
    expect(editor.editing).toMatchObject({ text: '我的说法', theirs: '他的说法' });
    editor.type('两人的说法');
    editor.commit();
    await settled();
    expect(room.now('u2')?.text).toBe('两人的说法');
  });

  it('takes along what was done on top of it', async () => {
    room.away = true;
    editor.set('u2', 'edit', { text: '我的说法' });
    editor.set('u2', 'doubt', { doubtful: true });
    await settled();
    room.edit('u2', '他的说法');
    room.away = false;
    editor.queue.retry();
    await vi.waitFor(() => expect(editor.queue.pending).toBe(0));
    const conflict = editor.queue.conflicts[0];
    expect(editor.queue.conflicts).toHaveLength(1);
    if (conflict) editor.keepMine(conflict);
    await settled();
    expect(room.now('u2')).toMatchObject({ text: '我的说法', doubtful: true });
  });
});

describe('what is drawn', () => {
  it('has its marks over the right characters', () => {
    const line = { ...editor.lines[0], text: '𠮷甲乙丙丁', unsure: [[1, 3]], proposals: [{ at: 2, length: 2 }] };
    const drawn = pieces(line as never, { at: 4, length: 1 }).map((p) => [p.text, p.unsure, p.proposed, p.found]);
    expect(drawn).toEqual([
      ['𠮷', false, false, false],
      ['甲', true, false, false],
      ['乙', true, true, false],
      ['丙', false, true, false],
      ['丁', false, false, true],
    ]);
  });
});
