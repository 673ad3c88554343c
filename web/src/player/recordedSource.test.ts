import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PictureFollower } from './pictureFollower';
import { RecordedSource } from './recordedSource';
import type { FetchPiece } from './trackLoad';

/** A camera that is set from H.264 to H.265 and back while the hearing goes on; this browser plays no H.265. */
const H264 = 'video/mp4; codecs="avc1.42c01e"';
const H265 = 'video/mp4; codecs="hvc1.1.6.L93.90"';
const AAC = 'audio/mp4; codecs="mp4a.40.2"';
const PARTS = [
  { mime: H264, from_ms: 0, to_ms: 12_000 },
  { mime: H265, from_ms: 12_000, to_ms: 40_000 },
  { mime: H264, from_ms: 40_000, to_ms: 90_000 },
];

/** jsdom has no Media Source Extensions: this stands for the browser's part, and takes everything at once. */
class Buffer extends EventTarget {
  updating = false;
  ranges: [number, number][] = [];
  /** How much this browser holds, milliseconds; it throws nothing out by itself. */
  static quota_ms = Number.POSITIVE_INFINITY;
  constructor(public mime: string) {
    super();
  }
  get buffered(): { length: number; start: (i: number) => number; end: (i: number) => number } {
    const { ranges } = this;
    return { length: ranges.length, start: (i) => (ranges[i]?.[0] ?? 0) / 1000, end: (i) => (ranges[i]?.[1] ?? 0) / 1000 };
  }
  appendBuffer(bytes: ArrayBuffer): void {
    const [from, to] = new Float64Array(bytes) as unknown as [number, number];
    const held = this.ranges.reduce((sum, [start, end]) => sum + end - start, 0);
    if (held + to - from > Buffer.quota_ms) throw new DOMException('full', 'QuotaExceededError');
    const last = this.ranges[this.ranges.length - 1];
    if (last !== undefined && Math.abs(last[1] - from) < 1) last[1] = to;
    else this.ranges.push([from, to]);
  }
  remove(from_s: number, to_s: number): void {
    this.ranges = this.ranges.flatMap(([from, to]): [number, number][] => {
      const parts: [number, number][] = [
        [from, Math.min(to, from_s * 1000)],
        [Math.max(from, to_s * 1000), to],
      ];
      return parts.filter(([start, end]) => end > start);
    });
  }
  changeType(mime: string): void {
    this.mime = mime;
  }
}

class Source extends EventTarget {
  static isTypeSupported = (mime: string): boolean => !mime.includes('hvc1');
  static made: Source[] = [];
  readyState = 'closed';
  duration = 0;
  readonly buffers: Buffer[] = [];
  constructor() {
    super();
    Source.made.push(this);
    queueMicrotask(() => {
      this.readyState = 'open';
      this.dispatchEvent(new Event('sourceopen'));
    });
  }
  addSourceBuffer(mime: string): Buffer {
    if (!Source.isTypeSupported(mime)) throw new DOMException('not supported', 'NotSupportedError');
    const buffer = new Buffer(mime);
    this.buffers.push(buffer);
    return buffer;
  }
}

let asked: { track: string; from_ms: number; to_ms: number }[] = [];

/** As the center answers: whole parts of one type, never over the end of it. */
const center: FetchPiece = (track, from_ms, to_ms) => {
  asked.push({ track, from_ms, to_ms });
  const part = track === 'mix' ? { mime: AAC, from_ms: 0, to_ms: 90_000 } : PARTS.find((one) => from_ms < one.to_ms);
  if (part === undefined) return Promise.resolve({ bytes: null, next_ms: null });
  const end_ms = Math.min(Math.max(to_ms, from_ms + 100), part.to_ms);
  return Promise.resolve({ bytes: new Float64Array([from_ms, end_ms]).buffer, from_ms, to_ms: end_ms, mime: part.mime });
};

function video(): HTMLVideoElement {
  const element = document.createElement('video');
  Object.defineProperty(element, 'currentTime', { value: 0, writable: true });
  element.load = () => undefined;
  return element;
}

async function settled(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await Promise.resolve();
}

/** The cursor goes on as in the player: a few looks a second, and anew where a track turns. */
async function play(source: RecordedSource, from_ms: number, to_ms: number): Promise<number[]> {
  const turns: number[] = [];
  for (let at_ms = from_ms; at_ms < to_ms; at_ms += 250) {
    source.pump(at_ms);
    await settled();
    const turn = source.turn(at_ms, 300);
    if (turn === null) continue;
    turns.push(turn);
    source.open(source.tracks, turn, 90_000);
    await settled();
  }
  return turns;
}

beforeEach(() => {
  asked = [];
  Source.made = [];
  Buffer.quota_ms = Number.POSITIVE_INFINITY;
  vi.stubGlobal('MediaSource', Source);
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
});
afterEach(() => vi.unstubAllGlobals());

it('plays what it can of a camera whose codec changes, and the sound all through', async () => {
  const source = new RecordedSource(video(), center);
  const words: string[] = [];
  source.onunplayable = (why) => words.push(why);
  source.open(['bench', 'mix'], 0, 90_000);
  await settled();
  const turns = await play(source, 0, 60_000);
  expect(turns).toHaveLength(2);
  expect(turns[0]).toBeGreaterThan(11_600);
  expect(turns[0]).toBeLessThan(12_100);
  expect(turns[1]).toBeGreaterThanOrEqual(40_000);
  expect(turns[1]).toBeLessThan(46_000);
  expect(Source.made.map((made) => made.buffers.map((buffer) => buffer.mime))).toEqual([[H264, AAC], [AAC], [H264, AAC]]);
  expect(words.filter((why, i) => why !== words[i - 1]).map((why) => (why === '' ? '' : 'said'))).toEqual(['', 'said', '']);
  source.destroy();
});

it('asks for moments only of what it cannot play', async () => {
  const source = new RecordedSource(video(), center);
  source.open(['bench', 'mix'], 13_000, 90_000);
  await settled();
  await play(source, 13_000, 39_000);
  const looks = asked.filter(({ track, from_ms }) => track === 'bench' && from_ms > 13_000);
  expect(looks.length).toBeGreaterThan(1);
  expect(looks.length).toBeLessThan(6);
  expect(Math.max(...looks.map(({ from_ms, to_ms }) => to_ms - from_ms))).toBe(1);
  source.destroy();
});

it('is opened anew by a jump out of what it cannot play', async () => {
  const source = new RecordedSource(video(), center);
  source.open(['bench', 'mix'], 13_000, 90_000);
  await settled();
  expect([source.whyNot('bench') === '', source.holds(14_000)]).toEqual([false, true]);
  source.pump(13_000);
  await settled();
  source.open(['bench', 'mix'], 50_000, 90_000);
  await settled();
  expect([source.whyNot('bench'), source.holds(50_000)]).toEqual(['', true]);
  source.destroy();
});

it('lets a camera beside the main picture come back', async () => {
  const follower = new PictureFollower(video(), 'bench', center);
  const list = [{ from_ms: 0, to_ms: 90_000, tracks: ['bench'] }];
  const said: [number, boolean][] = [];
  for (let at_ms = 0; at_ms < 60_000; at_ms += 250) {
    follower.follow(list, at_ms, false, 1);
    await settled();
    said.push([at_ms, follower.unplayable === '']);
  }
  expect(said.filter(([at_ms, plays]) => at_ms < 12_000 && !plays)).toEqual([]);
  expect(said.filter(([at_ms, plays]) => at_ms > 12_500 && at_ms < 40_000 && plays)).toEqual([]);
  expect(said.filter(([at_ms, plays]) => at_ms > 46_000 && !plays)).toEqual([]);
  expect(Source.made).toHaveLength(3);
  follower.destroy();
});

it('waits for nothing where the browser has no Media Source Extensions', async () => {
  vi.stubGlobal('MediaSource', undefined);
  const source = new RecordedSource(video(), center);
  source.open(['bench'], 0, 90_000);
  await settled();
  expect([source.holds(80_000), source.turn(80_000), asked.length]).toEqual([true, null, 0]);
  source.destroy();
});

it('asks for smaller pieces when the browser holds no more, keeps what is played, and says so', async () => {
  Buffer.quota_ms = 12_000;
  const element = video();
  const source = new RecordedSource(element, center, { ahead_ms: 20_000, chunk_ms: 10_000 });
  source.open(['mix'], 0, 90_000);
  await settled();
  const said: string[] = [];
  for (let at_ms = 0; at_ms < 60_000; at_ms += 250) {
    element.currentTime = at_ms / 1000;
    source.pump(at_ms);
    await settled();
    if (source.notice !== '') said.push(source.notice);
    expect([at_ms, source.broken, source.holds(at_ms)]).toEqual([at_ms, false, true]);
  }
  expect(Source.made).toHaveLength(1);
  expect(said.length).toBeGreaterThan(0);
  const asks = asked.map(({ from_ms, to_ms }) => to_ms - from_ms);
  expect(Math.min(...asks)).toBeLessThan(asks[0] ?? 0);
  source.destroy();
});

it('fetches again what the browser threw out ahead of the cursor', async () => {
  const element = video();
  const source = new RecordedSource(element, center);
  source.open(['mix'], 0, 90_000);
  await settled();
  source.pump(0);
  await settled();
  Source.made[0]?.buffers[0]?.remove(1, 90);
  expect(source.holds(5000)).toBe(false);
  vi.useFakeTimers({ now: performance.now(), toFake: ['performance'] });
  for (let look = 0; look < 10; look += 1) {
    vi.advanceTimersByTime(300);
    source.pump(2000);
    await settled();
  }
  vi.useRealTimers();
  expect(source.holds(5000)).toBe(true);
  source.destroy();
});

it('is opened anew where it broke, ever more seldom, and passes over what breaks it again and again', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const element = video();
  const source = new RecordedSource(element, center);
  source.open(['mix'], 4000, 90_000);
  await settled();
  const turns: number[] = [];
  const waits: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    element.dispatchEvent(new Event('error'));
    expect([source.broken, source.notice !== '']).toEqual([true, true]);
    let waited = 0;
    let turn: number | null;
    while ((turn = source.turn(4000)) === null) {
      vi.advanceTimersByTime(100);
      waited += 100;
    }
    turns.push(turn);
    waits.push(waited);
    source.open(['mix'], turn, 90_000);
    await settled();
    expect(source.broken).toBe(false);
  }
  vi.useRealTimers();
  expect(turns).toEqual([4000, 4000, 4000, 6000]);
  expect(waits).toEqual([500, 1000, 2000, 4000]);
  source.destroy();
});

it('is opened anew when it has media before it and does not move', async () => {
  const element = video();
  Object.defineProperty(element, 'paused', { value: false });
  Object.defineProperty(element, 'buffered', { get: () => Source.made[0]?.buffers[0]?.buffered });
  const source = new RecordedSource(element, center);
  source.open(['mix'], 0, 90_000);
  await settled();
  for (let look = 0; look < 40 && !source.broken; look += 1) {
    element.currentTime = look / 4;
    source.pump(look * 250);
    await settled();
  }
  expect(source.broken).toBe(false);
  for (let look = 0; look < 40 && !source.broken; look += 1) source.pump(9750);
  expect(source.broken).toBe(true);
  source.destroy();
});
