import { flushSync } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../lib/api';
import { flat } from './lineChanges';
import { wantedText } from './conflict';
import { TranscriptEditor } from './editor.svelte';
import { FakeRoom } from './fakeRoom.svelte';
import { BrowserStore } from '../browserStore';
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

beforeEach(() => {
  localStorage.clear();
  room = new FakeRoom();
  room.say('u1', '现在开庭', 1000);
  room.say('u2', '我借给他三十万元', 3000);
  editor = open();
});

describe('an insertion that is refused', () => {
  const CODES = [
    ['invalid', 422],
    ['not-found', 404],
    ['conflict', 409],
    ['no-hearing', 409],
    ['signed', 409],
  ] as const;

  it.each(CODES)('shows its text and can be gone on with: %s', async (code, status) => {
    editor.insertBelow('u1');
    editor.type('书记员补记');
    room.refusal = new ApiError(code, 'no', status);
    editor.commit();
    await settled();
    const conflict = editor.queue.conflicts[0];
    if (!conflict) throw new Error('no conflict');
    expect(wantedText(conflict)).toBe('书记员补记');
    editor.mergeByHand(conflict);
    expect(editor.queue.conflicts).toEqual([]);
    expect(editor.editing).toMatchObject({ text: '书记员补记', was: '', fresh: { after: 'u1' } });
    expect(Object.values(editor.drafts).map((draft) => draft.text)).toEqual(['书记员补记']);
    editor.commit();
    await settled();
    expect(room.log.utterances.map((line) => line.text)).toEqual(['现在开庭', '书记员补记', '我借给他三十万元']);
  });

  it('of one half of a split loses neither half', async () => {
    room.refusal = new ApiError('invalid', 'no', 422);
    editor.split('u2', 4);
    await settled();
    const conflict = editor.queue.conflicts[0];
    expect(conflict && wantedText(conflict)).toBe('我借给他三十万元');
    if (conflict) editor.mergeByHand(conflict);
    expect(editor.editing).toMatchObject({ line: 'u2', text: '我借给他三十万元', fresh: null });
  });

  it('is rare: what no document holds is a blank before it is sent', async () => {
    editor.insertBelow('u1');
    editor.type('原告\t张\u0007三\r\n到庭\ud800');
    editor.commit();
    await settled();
    expect(room.log.utterances[1]?.text).toBe('原告 张 三\n到庭 ');
  });

  it('was split off and merged again: it is not made twice', () => {
    const fresh = { id: 'n1', after: 'u2', seat: '', role: '', start_ms: 0, end_ms: 1, text: '乙', source: 'split' as const };
    const said = flat([
      { line: 'u2', base: 2, set: { text: '甲' } },
      { new: fresh },
      { new: { ...fresh, id: 'n2', after: 'n1', text: '丙' } },
      { line: 'u2', base: 2, set: { text: '甲乙' } },
      { line: 'n1', base: 0, set: { gone: 'merged' } },
    ]);
    expect(said).toEqual([{ line: 'u2', base: 2, set: { text: '甲乙' } }, { new: { ...fresh, id: 'n2', after: 'u2', text: '丙' } }]);
  });
});

describe('undoing', () => {
  const undone = (): unknown[] => room.sent.filter((one) => one.path === '/api/transcript/undo').map((one) => one.revision);
  const acts = (): unknown[] => room.sent.filter((one) => one.path === '/api/transcript/revisions').map((one) => one.id);

  it('names the act that it means, one after the other backwards', async () => {
    editor.set('u1', 'doubt', { doubtful: true });
    editor.set('u2', 'doubt', { doubtful: true });
    await settled();
    await editor.undo();
    await editor.undo();
    await editor.undo();
    const [first, second] = acts();
    expect(undone(), 'the third one: whatever this panel did before').toEqual([second, first, undefined]);
  });

  it('of an act that is refused takes back no other one', async () => {
    editor.set('u1', 'doubt', { doubtful: true });
    await settled();
    room.away = true;
    editor.set('u2', 'edit', { text: '我的说法' });
    await settled();
    const undoing = editor.undo();
    room.edit('u2', '他的说法');
    room.away = false;
    editor.queue.retry();
    await undoing;
    expect(undone()).toEqual([]);
    expect(room.now('u1')?.doubtful).toBe(true);
    expect([editor.queue.conflicts.length, editor.queue.pending, editor.notice]).toEqual([1, 0, null]);
    await editor.undo();
    expect(undone()).toEqual([acts()[0]]);
  });

  it('of the act named leaves the later ones', async () => {
    void editor.act('doubt', [{ line: 'u1', base: 1, set: { doubtful: true } }], { id: 'named' });
    editor.set('u2', 'doubt', { doubtful: true });
    await editor.undo('named');
    await editor.undo();
    expect(undone()).toEqual(['named', acts().at(-1)]);
  });
});

describe('the version under the hand', () => {
  function typing(): void {
    editor.edit('u2');
    editor.type('我的说法');
    room.edit('u2', '他的说法');
    editor.follow();
    expect(editor.editing?.base, 'two texts that nobody but a person can merge').toBe(2);
  }

  it('is that of a split', async () => {
    typing();
    editor.caret = 2;
    editor.split('u2');
    await settled();
    expect(room.now('u2')?.text).toBe('他的说法');
    expect(editor.queue.conflicts[0]).toMatchObject({ line: 'u2', theirs: { text: '他的说法' } });
  });

  it('is that of a merge', async () => {
    room.say('u3', '有借条', 5000);
    typing();
    editor.mergeWithNext('u2');
    await settled();
    expect([room.now('u2')?.text, room.now('u3')?.gone]).toEqual(['他的说法', '']);
    expect(editor.queue.conflicts).toHaveLength(1);
  });

  it("is this panel's own, before its event has come back", async () => {
    room.hold = true;
    editor.set('u2', 'doubt', { doubtful: true });
    await settled();
    editor.set('u2', 'edit', { text: '我的说法' });
    await settled();
    expect([room.now('u2')?.text, editor.queue.conflicts.length]).toEqual(['我的说法', 0]);
  });
});

describe('a struck line', () => {
  it('is merged with nothing, from neither side', async () => {
    room.say('u3', '有借条', 5000);
    editor.set('u2', 'strike', { struck: true });
    await settled();
    editor.mergeWithNext('u1');
    expect(editor.notice).toBe('edit.merge.struck');
    editor.mergeWithNext('u2');
    await settled();
    expect(room.sent).toHaveLength(1);
  });
});

describe('a line that nobody spoke', () => {
  it('lasts long enough for a subtitle', async () => {
    editor.insertBelow('u1');
    editor.type('书记员补记');
    editor.commit();
    await settled();
    expect(room.log.utterances[1]).toMatchObject({ start_ms: 2000, end_ms: 3000 });
  });
});

describe('what this browser keeps', () => {
  it('is read also behind an entry that cannot be', () => {
    const kept = new BrowserStore<{ a: number }>(localStorage, 'x/');
    kept.put('1', { a: 1 });
    localStorage.setItem('x/0', '{"a":');
    localStorage.setItem('x/2', 'null');
    kept.put('3', { a: 3 });
    expect(kept.all()).toEqual({ '1': { a: 1 }, '3': { a: 3 } });
  });

  it('is said to be nothing when it is full, and the words are sent all the same', async () => {
    const full = { ...localStorage, length: 0, key: () => null, getItem: () => null, removeItem: () => undefined, clear: () => undefined };
    const storage: Storage = {
      ...full,
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    };
    editor = new TranscriptEditor(room, storage, new RevisionQueue('tab', storage, room.post));
    editor.follow();
    room.away = true;
    editor.set('u2', 'edit', { text: '我的说法' });
    await settled();
    expect(editor.queue.unkept).toBe(true);
    room.away = false;
    editor.queue.retry();
    await vi.waitFor(() => expect(editor.queue.pending).toBe(0));
    expect([room.now('u2')?.text, editor.queue.unkept]).toEqual(['我的说法', false]);
  });
});
