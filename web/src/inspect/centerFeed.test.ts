import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caption, CenterMessage, WallRoom } from '../lib/types';
import { CenterFeed } from './centerFeed.svelte';
import { FakeSocket, room } from './fakeCenter';

function caption(address: string): CenterMessage {
  const value: Caption = { id: 'c', seat: 's', role: '审判长', start_ms: 1, end_ms: 2, text: '现在', stable: 0 };
  return { type: 'caption', room: address, value };
}

describe('what the center sends to a tab', () => {
  let feed: CenterFeed;
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.made = [];
    vi.stubGlobal('WebSocket', FakeSocket);
    feed = new CenterFeed(() => undefined);
    FakeSocket.last.open().tell({ type: 'rooms', rooms: [room('a/1'), room('a/2')], utc_ms: 1, number: 0 });
  });
  afterEach(() => {
    feed.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('takes the least of what it is told for the center\'s clock: the page may have been busy', () => {
    vi.setSystemTime(10_000);
    FakeSocket.last.tell({ type: 'link', value: { broker: true }, utc_ms: 9600 });
    FakeSocket.last.tell({ type: 'link', value: { broker: true }, utc_ms: 9990 });
    FakeSocket.last.tell({ type: 'link', value: { broker: true }, utc_ms: 9700 });
    expect(feed.clockOffsetMs()).toBe(10);
    for (let n = 0; n < 12; n += 1) FakeSocket.last.tell({ type: 'link', value: { broker: true }, utc_ms: 9500 });
    expect(feed.clockOffsetMs(), 'a clock that was set').toBe(500);
  });

  it('asks to be told what is new, and says again what is in sight when the center is back', () => {
    expect(FakeSocket.last.url.search).toBe('?told=changes');
    feed.inSight(['a/2', 'a/1']);
    feed.inSight(['a/1', 'a/2']);
    expect(FakeSocket.last.said.filter((one) => 'sight' in one)).toEqual([{ sight: ['a/1', 'a/2'] }]);
    FakeSocket.last.dispatchEvent(new Event('close'));
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.made).toHaveLength(2);
    expect(FakeSocket.last.open().said).toContainEqual({ sight: ['a/1', 'a/2'] });
  });

  it('says no more rooms than count', () => {
    feed.inSight(Array.from({ length: 500 }, (_, n) => `a/${n}`));
    expect((FakeSocket.last.said.at(-1)?.sight as string[]).length).toBe(128);
  });

  it('lets go of the words of a room that is not on the screen any more', () => {
    feed.inSight(['a/1', 'a/2']);
    FakeSocket.last.tell(caption('a/1'));
    FakeSocket.last.tell(caption('a/2'));
    const end = feed.follow('a/2');
    feed.inSight([]);
    expect([...feed.captions.keys()]).toEqual(['a/2']);
    end();
    expect(feed.captions.size).toBe(0);
  });

  it('lets go of the words of a room that has gone, or that is in a sealed part', () => {
    feed.inSight(['a/1', 'a/2']);
    FakeSocket.last.tell(caption('a/1'));
    FakeSocket.last.tell(caption('a/2'));
    const hearing = { id: 'h', state: 'open', pause: null, case: {}, opened_utc_ms: 1, part_sealed: true };
    FakeSocket.last.tell({
      type: 'changes',
      number: 1,
      rooms: [{ address: 'a/1', online: false }, { address: 'a/2', hearing: hearing as unknown as WallRoom['hearing'] }],
    });
    expect(feed.captions.size).toBe(0);
  });

  it('asks for the whole when it missed something, and begins anew when it does not come', () => {
    const first = FakeSocket.last;
    first.tell({ type: 'changes', number: 2, rooms: [{ address: 'a/1', online: false }] });
    expect(first.said.at(-1)).toEqual({ whole: true });
    expect(feed.rooms.get('a/1')?.online).toBe(true);
    vi.advanceTimersByTime(5000);
    expect(FakeSocket.made).toHaveLength(1);
    vi.advanceTimersByTime(3000);
    expect(FakeSocket.made.length).toBeGreaterThan(1);
    first.tell({ type: 'rooms', rooms: [], utc_ms: 1, number: 0 });
    expect(feed.rooms.size, 'what comes late on the socket that was given up is not taken').toBe(2);
    FakeSocket.last.open().tell({ type: 'rooms', rooms: [room('a/1', { online: false })], utc_ms: 1, number: 0 });
    expect([...feed.rooms.values()].map((one) => one.online)).toEqual([false]);
    expect(FakeSocket.last.said).not.toContainEqual({ whole: true });
  });

  it('goes on with the whole when that comes', () => {
    FakeSocket.last.tell({ type: 'changes', number: 3, rooms: [] });
    FakeSocket.last.tell({ type: 'rooms', rooms: [room('a/1'), room('a/2')], utc_ms: 1, number: 0 });
    FakeSocket.last.tell({ type: 'changes', number: 1, rooms: [{ address: 'a/1', room_name: '一' }] });
    vi.advanceTimersByTime(15_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(feed.rooms.get('a/1')?.room_name).toBe('一');
  });
});
