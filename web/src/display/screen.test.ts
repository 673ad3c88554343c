import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetPictures, loadPicture } from '../lib/pagePicture';
import type { DisplayState } from '../lib/types';
import { Screen } from './screen.svelte';

/** The line to the room, of which a test is the other end. */
class RoomLine extends EventTarget {
  static readonly OPEN = 1;
  static last: RoomLine;
  readyState = 0;
  binaryType = '';

  constructor() {
    super();
    RoomLine.last = this;
  }

  tell(value: Partial<DisplayState>): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ type: 'display', value }) }));
  }

  close(): void {
    this.readyState = 3;
  }
}

const HANGS = { exhibit: { sha256: 'f' }, page: 1 } as unknown as DisplayState['presented'];

let screen: Screen;
let asked: string[];

beforeEach(() => {
  asked = [];
  forgetPictures();
  HTMLImageElement.prototype.decode = () => Promise.resolve();
  URL.createObjectURL = () => 'blob:x';
  URL.revokeObjectURL = () => undefined;
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(new URL(url, 'http://room').searchParams.get('page') ?? '');
    return Promise.resolve(new Response('picture'));
  });
  vi.stubGlobal('WebSocket', RoomLine);
  screen = new Screen('token');
});

afterEach(() => {
  screen.destroy();
  vi.unstubAllGlobals();
});

/** A page hangs on the wall until another takes its place. */
async function hang(page: number): Promise<void> {
  RoomLine.last.tell({ state: 'open', presented: { ...HANGS, page } as DisplayState['presented'] });
  (await loadPicture(screen.pictureUrl('f', page, 1))).giveBack();
}

describe('the wall of a room', () => {
  it('asks for nothing again that has hung there since it last showed something else', async () => {
    for (const page of [1, 2, 1, 2, 1]) await hang(page);
    expect(asked).toEqual(['1', '2']);
  });

  it.each([
    ['a withdrawal, and a part that is sealed', () => RoomLine.last.tell({ state: 'open', presented: null })],
    ['a recess', () => RoomLine.last.tell({ state: 'paused', presented: HANGS })],
    ['the end of the hearing', () => RoomLine.last.tell({ state: 'closed', presented: null })],
    ['no hearing at all', () => RoomLine.last.tell({ state: null, presented: null })],
    ['the end of the line', () => RoomLine.last.dispatchEvent(new Event('close'))],
  ])('has nothing of before after %s', async (_, happens) => {
    await hang(1);
    const shown = await loadPicture(screen.pictureUrl('f', 1, 1));
    happens();
    shown.giveBack(); // the page takes it down a moment later
    asked = [];
    await hang(1);
    expect(asked).toEqual(['1']);
  });
});
