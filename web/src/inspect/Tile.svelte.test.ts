import { flushSync, mount, unmount } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MediaHub } from '../lib/live/mediaHub';
import type { TileStatus, WallRoom } from '../lib/types';
import type { CenterFeed, Still } from './centerFeed.svelte';
import { HandedOn } from './handedOn';
import Tile from './Tile.svelte';

let wanted: string[];
let hub: MediaHub;
let mounted: Record<string, unknown> | null = null;

beforeEach(() => {
  wanted = [];
  hub = new MediaHub((addresses) => (wanted = addresses));
});
afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = null;
  hub.close();
});

function room(tile: TileStatus | undefined, hearing: Partial<WallRoom['hearing']> | null = null): WallRoom {
  const track = { id: 'bench', kind: 'video', name: '审判席', mime: '', state: 'running', kept: false, restarts: 0, why: null };
  return {
    address: 'a/1',
    online: true,
    court_name: '尖山区人民法院',
    room_name: '第一法庭',
    hearing,
    recorder: { tracks: [track], hearing: null, alarms: [], ...(tile === undefined ? {} : { tile }) },
    speaking: [],
    seats: [],
    alarms: [],
    seen_utc_ms: null,
    center_alarms: [],
  } as unknown as WallRoom;
}

const handedOn = new HandedOn();

async function shown(of: WallRoom, live: boolean, url = 'blob:still'): Promise<{ moving: boolean; still: boolean }> {
  const stills = new SvelteMap<string, Still>(url === '' ? [] : [['a/1/bench', { url, atMs: Date.now() }]]);
  const center = { hub, stills, captions: new SvelteMap(), nowMs: Date.now(), clockOffsetMs: () => 0, handedOn };
  mounted = mount(Tile, { target: document.body, props: { room: of, center: center as unknown as CenterFeed, live } });
  flushSync();
  await Promise.resolve(); // what is wanted is told when all of it has changed
  return { moving: document.querySelector('[data-live]') !== null, still: document.querySelector('img') !== null };
}

const SMALL: TileStatus = { of: 'bench', why: null };

it('asks for the small picture, and shows the thumbnail until it has come', async () => {
  expect(await shown(room(SMALL), true)).toEqual({ moving: true, still: true });
  expect(wanted).toEqual(['a/1/tile']);
});

it.each([
  ['that is out of sight, or one too many', room(SMALL), false],
  ['of a room of before', room(undefined), true],
  ['of a room that has no time for it', room({ of: 'bench', why: '小画面已停用：本机算力不足' }), true],
])('asks for nothing for a tile %s: the thumbnail is there', async (_, of, live) => {
  expect(await shown(of, live)).toEqual({ moving: false, still: true });
  expect(wanted).toEqual([]);
});

it.each([
  ['of a closed session', { id: 'h', state: 'paused', pause: 'mediation', case: {} }],
  ['of a sealed part', { id: 'h', state: 'open', pause: null, part_sealed: true, case: {} }],
  ['that may not be seen', { id: 'h', state: 'open', pause: null, hidden: true, case: {} }],
])('shows nothing %s, and asks for nothing', async (_, hearing) => {
  expect(await shown(room(SMALL, hearing as unknown as WallRoom['hearing']), true)).toEqual({ moving: false, still: false });
  expect(wanted).toEqual([]);
});

it('asks for nothing any more when it is gone', async () => {
  await shown(room(SMALL), true);
  expect(wanted).toEqual(['a/1/tile']);
  if (mounted) await unmount(mounted);
  mounted = null;
  await Promise.resolve();
  expect(wanted).toEqual([]);
});

it('hands on what its player has painted, and nothing before that', async () => {
  const keep = vi.spyOn(handedOn, 'keep').mockReturnValue();
  expect(await shown(room(SMALL), true, '')).toEqual({ moving: true, still: false });
  const [tile, player] = ['.tile', '[data-live]'].map((one) => document.querySelector<HTMLElement>(one));
  tile?.click();
  expect(keep).not.toHaveBeenCalled();
  if (player) player.dataset.frames = '1';
  tile?.click();
  expect(keep).toHaveBeenCalledWith('a/1/bench', player);
  keep.mockRestore();
});
