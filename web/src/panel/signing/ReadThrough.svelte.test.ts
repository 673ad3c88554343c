import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TranscriptEditor } from '../transcript/editor.svelte';
import { FakeRoom } from '../transcript/fakeRoom.svelte';
import { RevisionQueue } from '../transcript/revisionQueue.svelte';
import ReadThrough from './ReadThrough.svelte';
import { ReadThroughPlayer } from './readThroughPlayer.svelte';

/** A sound that ends when a test says so. */
class FakeSound extends EventTarget {
  static last: FakeSound;
  src = '';

  constructor() {
    super();
    FakeSound.last = this;
  }

  play(): Promise<void> {
    return Promise.resolve();
  }

  pause(): void {
    // Nothing is heard.
  }

  removeAttribute(): void {
    this.src = '';
  }
}

let room: FakeRoom;
let editor: TranscriptEditor;
let reader: ReadThroughPlayer;
let page: ReturnType<typeof mount>;
const objected: string[] = [];
const props = $state({ signed: false });

function show(): void {
  editor = new TranscriptEditor(room, localStorage, new RevisionQueue('tab', localStorage, room.post));
  editor.follow();
  reader = new ReadThroughPlayer(() => editor.lines, 'read');
  page = mount(ReadThrough, {
    target: document.body,
    props: {
      get lines() {
        return editor.lines;
      },
      get signed() {
        return props.signed;
      },
      reader,
      editor,
      utcOffsetMs: 0,
      onobject: (line) => objected.push(line.id),
    },
  });
  flushSync();
}

function button(name: string): HTMLButtonElement {
  const found = [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

function touch(name: string): void {
  button(name).click();
  flushSync();
}

function type(text: string): void {
  const field = document.querySelector('textarea');
  if (!field) throw new Error('no field');
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

function news(work: () => void): void {
  work();
  editor.follow();
  flushSync();
}

const current = (): string => document.querySelector('[aria-current]')?.textContent ?? '';
const settled = async (): Promise<void> => {
  await vi.waitFor(() => expect(editor.queue.pending).toBe(0));
  flushSync();
};

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  objected.length = 0;
  props.signed = false;
  vi.stubGlobal('Audio', FakeSound);
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('sound')));
  vi.stubGlobal('URL', Object.assign(class extends URL {}, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined }));
  Element.prototype.scrollIntoView = () => undefined;
  room = new FakeRoom();
  room.say('u1', '现在开庭', 1000);
  room.say('u2', '我借给他三十万元', 3000);
  room.say('u3', '有借条', 5000);
  show();
});

afterEach(async () => {
  await unmount(page);
  vi.unstubAllGlobals();
});

describe('a correction in the read-through', () => {
  it('stays with its line when the sound of the line ends', async () => {
    touch('播放录音');
    await vi.waitFor(() => expect(FakeSound.last.src).toBe('blob:x'));
    touch('更正');
    type('现在宣布开庭');
    FakeSound.last.dispatchEvent(new Event('ended'));
    flushSync();
    expect(reader.place).toBe(0);
    touch('保存更正');
    await settled();
    expect(room.log.utterances.map((line) => line.text)).toEqual(['现在宣布开庭', '我借给他三十万元', '有借条']);
  });

  it('stays with its line when another panel puts a line above it', async () => {
    touch('下一条');
    touch('更正');
    type('我借给他30万元');
    const fresh = { id: 'n1', after: 'u1', seat: '', role: '书记员', start_ms: 2000, end_ms: 3000, text: '补记', source: 'typed' };
    news(() => room.write('revision', { id: 'x', act: 'insert', by: 'clerk', tab: 'other', changes: [{ new: fresh }] }));
    expect([reader.place, reader.line?.id]).toEqual([2, 'u2']);
    expect(document.querySelector('[aria-current] textarea')).not.toBeNull();
    touch('保存更正');
    await settled();
    expect(room.log.utterances.map((line) => line.text)).toEqual(['现在开庭', '补记', '我借给他30万元', '有借条']);
  });

  it('overwrites nothing that another panel wrote meanwhile', async () => {
    touch('更正');
    type('我的说法');
    news(() => room.edit('u1', '他的说法'));
    touch('保存更正');
    await settled();
    expect(room.now('u1')?.text).toBe('他的说法');
    expect(current()).toContain('我的说法');
    expect(button('合并编辑')).toBeDefined();
  });

  it('is kept when somebody reads on, and over a new page', async () => {
    touch('更正');
    type('写到一半');
    touch('下一条');
    expect(document.querySelector('textarea')).toBeNull();
    await unmount(page);
    show();
    expect(reader.line?.id).toBe('u2');
    expect(document.body.textContent).toContain('写到一半');
    touch('继续编辑');
    expect([reader.line?.id, document.querySelector('textarea')?.value]).toEqual(['u1', '写到一半']);
    touch('放弃更正');
    expect(document.body.textContent).not.toContain('写到一半');
  });

  it('reopens signed words only where that was said', async () => {
    touch('更正');
    type('现在宣布开庭');
    touch('保存更正');
    await settled();
    props.signed = true;
    touch('下一条');
    touch('更正');
    type('我借给他30万元');
    expect(document.body.textContent).toContain('保存后须重新提交签名');
    touch('保存更正');
    await settled();
    expect(room.sent.map((one) => one.reopen)).toEqual([undefined, true]);
  });
});

describe('a struck line', () => {
  it('is read as what it is, and can be objected to', () => {
    news(() => room.write('revision', { id: 's', act: 'strike', by: 'clerk', tab: 'other', changes: [{ line: 'u2', base: 2, set: { struck: true } }] }));
    touch('下一条');
    expect(document.querySelector('[aria-current] s')?.textContent).toBe('我借给他三十万元');
    expect(current()).toContain('已删除');
    expect(current()).not.toContain('更正');
    touch('提出异议');
    expect(objected).toEqual(['u2']);
  });
});
