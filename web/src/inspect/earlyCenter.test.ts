import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MOST_KEPT_BYTES } from '../lib/earlySocket';
import type { CenterMessage, WallRoom } from '../lib/types';
import { CenterFeed } from './centerFeed.svelte';
import { EarlyCenter, SIGNED_IN } from './earlyCenter';
import { FakeSocket, room } from './fakeCenter';
import { HANDED_ON_MS } from './foreseenRoom';

const RECORDER = {
  tracks: [
    { id: 'mix', kind: 'audio', mime: '' },
    { id: 'bench', kind: 'video', mime: '' },
    { id: 'witness', kind: 'video', mime: '' },
  ],
} as unknown as NonNullable<WallRoom['recorder']>;

const told = (...rooms: WallRoom[]): CenterMessage => ({ type: 'rooms', rooms, utc_ms: 1, number: 0 });
const pictured = (more: Partial<WallRoom> = {}): WallRoom => room('a/1', { recorder: RECORDER, ...more });

describe('what is begun before the scripts of the page are there', () => {
  let early: EarlyCenter;
  let feed: CenterFeed | null;
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.made = [];
    vi.stubGlobal('WebSocket', FakeSocket);
    vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{}', { status: 401 }))));
    localStorage.setItem(SIGNED_IN, '');
    window.location.hash = '#/room/a/1';
    early = new EarlyCenter();
    feed = null;
  });
  afterEach(() => {
    feed?.close();
    localStorage.clear();
    window.location.hash = '';
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const page = (): CenterFeed => (feed = new CenterFeed(() => undefined, early));

  it('is nothing where nobody was signed in', () => {
    localStorage.clear();
    early.begin();
    expect(FakeSocket.made).toEqual([]);
    expect(fetch).not.toHaveBeenCalled();
  });

  it('asks once who is signed in, and the page when it looks again', async () => {
    early.begin();
    expect(await early.session()).toBeNull();
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(await early.session()).toBeNull();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('hears that nobody answers when it looks, and not before', async () => {
    vi.mocked(fetch).mockRejectedValue(new TypeError('no line'));
    early.begin();
    await vi.advanceTimersByTimeAsync(10);
    await expect(early.session()).rejects.toMatchObject({ code: 'offline' });
  });

  it('is one socket, which the page takes over with all that came', async () => {
    early.begin();
    FakeSocket.last.open().tell(told(room('a/1'), room('a/2')));
    const center = page();
    FakeSocket.last.tell({ type: 'changes', rooms: [], gone: ['a/2'], number: 1 } as unknown as CenterMessage);
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.made.length).toBe(1);
    expect([center.known, center.connection]).toEqual([true, 'open']);
    expect(center.rooms.has('a/1')).toBe(true);
  });

  it('tells when each message came, and not when the page took it up', async () => {
    vi.setSystemTime(10_000);
    early.begin();
    FakeSocket.last.open().tell({ ...told(room('a/1')), utc_ms: 9990 } as CenterMessage);
    FakeSocket.last.tell({ type: 'link', value: { broker: true }, utc_ms: 9980 });
    vi.setSystemTime(13_000);
    const center = page();
    await vi.advanceTimersByTimeAsync(0);
    expect([center.clockOffsetMs(), center.clockSure()]).toEqual([10, false]);
    vi.setSystemTime(15_000);
    FakeSocket.last.tell({ type: 'link', value: { broker: true }, utc_ms: 14_995 });
    expect([center.clockOffsetMs(), center.clockSure()]).toEqual([5, true]);
  });

  it('is taken over also while it still connects', async () => {
    early.begin();
    const center = page();
    FakeSocket.last.open().tell(told(room('a/1')));
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.made.length).toBe(1);
    expect([...center.rooms.keys()]).toEqual(['a/1']);
  });

  it('asks for the first picture of the room in the address, and the page goes on asking until its player does', async () => {
    early.begin();
    FakeSocket.last.open().tell(told(room('a/2', { recorder: RECORDER }), pictured()));
    expect(FakeSocket.last.said).toEqual([{ watch: ['a/1/bench'], rooms: [] }]);
    const center = page();
    const came: string[] = [];
    await vi.advanceTimersByTimeAsync(0);
    const end = center.hub.listen('a/1/bench', (envelope) => void came.push(envelope.address));
    await vi.advanceTimersByTimeAsync(HANDED_ON_MS + 1);
    for (const said of FakeSocket.last.said) expect(said.watch).toEqual(['a/1/bench']);
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.last.said.at(-1)?.watch).toEqual([]);
  });

  it.each([
    ['of a room that is away', pictured({ online: false })],
    ['behind closed doors', pictured({ hearing: { pause: 'closed_evidence' } as WallRoom['hearing'] })],
    ['of a room without a camera', room('a/1')],
    ['of another room', room('a/2', { recorder: RECORDER })],
  ])('asks for no picture %s', (_, one) => {
    early.begin();
    FakeSocket.last.open().tell(told(one));
    expect(FakeSocket.last.said).toEqual([]);
  });

  it('leaves it to the page to ask, as soon as that is told of the rooms, where it came first', async () => {
    early.begin();
    const center = page();
    FakeSocket.last.open().tell(told(pictured()));
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.last.said.at(-1)?.watch).toEqual(['a/1/bench']);
    FakeSocket.last.tell({ ...told(room('a/2', { recorder: RECORDER })), number: 2 } as CenterMessage);
    await vi.advanceTimersByTimeAsync(HANDED_ON_MS + 1);
    expect(FakeSocket.last.said.at(-1)?.watch).toEqual([]);
    expect(center.rooms.has('a/2')).toBe(true);
  });

  it('asks for no picture on the wall', () => {
    window.location.hash = '#/';
    early.begin();
    FakeSocket.last.open().tell(told(pictured()));
    expect(FakeSocket.last.said).toEqual([]);
  });

  it('opens no second socket when its script comes after the page has begun', () => {
    page();
    early.begin();
    expect(FakeSocket.made.length).toBe(1);
  });

  it('was refused or lost before the page took it over: the page looks at its session, and connects anew', async () => {
    early.begin();
    FakeSocket.last.lose();
    const refused = vi.fn();
    feed = new CenterFeed(refused, early);
    await vi.advanceTimersByTimeAsync(0);
    expect(refused).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(5000);
    expect(FakeSocket.made.length).toBe(2);
  });

  it('keeps no more than it may for a page that never comes', async () => {
    early.begin();
    const socket = FakeSocket.last.open();
    const data = new ArrayBuffer(MOST_KEPT_BYTES / 4);
    for (let n = 0; n < 5; n += 1) socket.dispatchEvent(new MessageEvent('message', { data }));
    expect(socket.readyState).toBe(FakeSocket.CLOSED);
    page();
    await vi.advanceTimersByTimeAsync(5000);
    expect(FakeSocket.made.length).toBe(2);
  });
});
