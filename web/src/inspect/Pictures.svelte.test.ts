import { flushSync, mount, unmount } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { asEnvelope, initMessage } from '../lib/live/codecs/fakeMedia';
import { MediaHub } from '../lib/live/mediaHub';
import type { Playback } from '../player/playback.svelte';
import type { CenterFeed } from './centerFeed.svelte';
import { HANDED_MS, HandedOn } from './handedOn';
import Pictures from './Pictures.svelte';

type Closed = '' | 'tile.closedDoors' | 'part.state';
const [BENCH, WITNESS] = ['bench', 'witness'].map((id) => ({ id, name: id }));
let hub: MediaHub;
let mounted: Record<string, unknown> | null = null;
const stands = (): boolean => document.querySelector('.stand-in canvas') !== null;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('ResizeObserver', class {
    observe = (): void => undefined;
    unobserve = (): void => undefined;
    disconnect = (): void => undefined;
  });
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue({ drawImage: vi.fn() } as unknown as null);
  hub = new MediaHub(() => undefined);
});
afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = null;
  hub.close();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

interface Changing {
  main: (typeof BENCH) | null;
  closed: Closed;
  live: boolean;
}

/** The page of a room whose tile showed its camera when it was opened; the answer changes it. */
function opened(): Changing {
  const handedOn = new HandedOn();
  handedOn.keep('a/1/bench', document.createElement('canvas'));
  const center = { hub, handedOn, rooms: new SvelteMap(), clockOffsetMs: () => 0 } as unknown as CenterFeed;
  const none = (): undefined => undefined;
  const props = $state({
    ...{ center, address: 'a/1', main: BENCH ?? null, others: [], live: true, closed: '' as Closed, recorded: false, muted: true },
    ...{ playback: {} as Playback, planOf: () => [], fetchPiece: none as never, why: () => '', onstats: none, onswap: none, enlarged: false },
  });
  mounted = mount(Pictures, { target: document.body, props });
  flushSync();
  return props;
}

it('shows what the tile showed, for a moment at most', () => {
  opened();
  expect(stands()).toBe(true);
  vi.advanceTimersByTime(HANDED_MS - 1);
  expect(stands(), 'that a picture is waited for is nothing to say').toBe(true);
  vi.advanceTimersByTime(1);
  flushSync();
  expect(stands()).toBe(false);
});

it('lets the player say why there is no picture', () => {
  opened();
  hub.take(asEnvelope(initMessage(), 'a/1/bench'));
  vi.advanceTimersByTime(500);
  flushSync();
  expect(stands()).toBe(false);
});

it.each([
  ['covers no other camera', { main: WITNESS ?? null }],
  ['shows nothing of a sealed part', { closed: 'part.state' as const }],
  ['shows nothing behind closed doors', { closed: 'tile.closedDoors' as const }],
])('%s, and does not come back', (_, change) => {
  const props = opened();
  Object.assign(props, change);
  flushSync();
  expect(stands()).toBe(false);
  Object.assign(props, { main: BENCH ?? null, closed: '' });
  flushSync();
  expect(stands()).toBe(false);
});
