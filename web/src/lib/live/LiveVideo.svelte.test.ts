import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { decoderThread } from './codecs/decoderThread';
import type { PictureReport, ToWorker } from './codecs/workerMessages';
import type { LiveStats } from './liveStats';
import LiveVideo from './LiveVideo.svelte';
import { MediaHub } from './mediaHub';

let mounted: Record<string, unknown> | null = null;
let hub: MediaHub;
let wanted: string[];
let said: ToWorker['order'][];
/** Ends the wait for the sound's own script. */
let answer: { resolve: () => void; reject: (why: Error) => void };

/** Sound of this browser; its script comes when the test says so. */
class FakeAudioContext {
  state = 'running';
  baseLatency = 0;
  currentTime = 0;
  destination = {};
  audioWorklet = { addModule: () => new Promise<void>((resolve, reject) => (answer = { resolve, reject })) };
  resume = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
  getOutputTimestamp = (): AudioTimestamp => ({});
}
class FakeWorkletNode {
  port = { postMessage: () => undefined };
  connect = (): void => undefined;
  disconnect = (): void => undefined;
}
const FAKES = { VideoDecoder: vi.fn(), AudioDecoder: vi.fn(), EncodedVideoChunk: vi.fn(), AudioWorkletNode: FakeWorkletNode };

beforeEach(() => {
  for (const [name, fake] of Object.entries({ ...FAKES, AudioContext: FakeAudioContext })) vi.stubGlobal(name, fake);
  Object.defineProperty(HTMLCanvasElement.prototype, 'transferControlToOffscreen', { value: () => ({}), configurable: true });
  said = [];
  vi.spyOn(decoderThread, 'prepare').mockReturnValue();
  vi.spyOn(decoderThread, 'open').mockReturnValue(1);
  vi.spyOn(decoderThread, 'close').mockReturnValue();
  vi.spyOn(decoderThread, 'say').mockImplementation((order) => void said.push(order.order));
  hub = new MediaHub((addresses) => (wanted = addresses));
});
afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = null;
  hub.close();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(HTMLCanvasElement.prototype, 'transferControlToOffscreen');
});

it.each([
  ['no stage of a picture before the clock is known', false, []],
  ['the stages of a picture when it is', true, ['transit', 'decode', 'wait', 'lag']],
])('measures %s', (_, sure, stages) => {
  let told: LiveStats | null = null;
  const props = { hub, track: 'a/1/bench', label: '审判席', clockSure: () => sure, onstats: (stats: LiveStats) => (told = stats) };
  mounted = mount(LiveVideo, { target: document.body, props });
  flushSync();
  const shown = { roomMs: 1, utcMs: Date.now() - 50, atMs: Date.now() };
  const report = { painted: 1, stages: [[30, 5, 15]], shown, trouble: '', soundOffsetMs: null } as unknown as PictureReport;
  vi.mocked(decoderThread.open).mock.lastCall?.[1](report);
  const stats = told as LiveStats | null;
  expect(stats?.stages.summaries().map((one) => one.stage)).toEqual(stages);
  expect(stats?.lagMs, 'how old the picture is, as well as it is known').toBeCloseTo(50, -2);
});

async function heard(): Promise<void> {
  const props = { hub, track: 'a/1/bench', sound: 'a/1/mix', muted: false, label: '审判席' };
  mounted = mount(LiveVideo, { target: document.body, props });
  flushSync();
  await vi.waitFor(() => expect(wanted).toEqual(['a/1/bench', 'a/1/mix']));
}

it('has sound sent that can be heard', async () => {
  await heard();
  answer.resolve();
  await vi.waitFor(() => expect(said).toContain('hear'));
  expect(said).not.toContain('hush');
  expect(wanted).toContain('a/1/mix');
});

it('has no sound sent or decoded where none can begin, and says so', async () => {
  await heard();
  answer.reject(new Error('no script'));
  await vi.waitFor(() => expect(document.body.textContent).toContain('声音'));
  await vi.waitFor(() => expect(wanted).toEqual(['a/1/bench']));
  expect(said.slice(-1)).toEqual(['hush']);
});

it('has none sent either where the browser opens no sound at all', async () => {
  vi.stubGlobal('AudioContext', () => {
    throw new Error('too many');
  });
  const props = { hub, track: 'a/1/bench', sound: 'a/1/mix', muted: false, label: '审判席' };
  mounted = mount(LiveVideo, { target: document.body, props });
  flushSync();
  await vi.waitFor(() => expect(wanted).toEqual(['a/1/bench']));
  expect(said).not.toContain('hear');
});
