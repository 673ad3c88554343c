import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pictureMessage } from './fakeMedia';
import type { PictureReport, ToWorker } from './workerMessages';

/** Stands for the worker: keeps what it is told. */
class QuietWorker {
  static made: QuietWorker[] = [];
  said: ToWorker[] = [];
  ended = false;
  onmessage: ((event: { data: Partial<PictureReport> }) => void) | null = null;
  onerror: (() => void) | null = null;
  constructor() {
    QuietWorker.made.push(this);
  }
  postMessage(order: ToWorker): void {
    this.said.push(order);
  }
  terminate(): void {
    this.ended = true;
  }
}
vi.stubGlobal('Worker', QuietWorker);

const { decoderThread, MOST_BEHIND, MOST_BEHIND_BYTES } = await import('./decoderThread');
const canvas = { transferControlToOffscreen: () => ({}) } as unknown as HTMLCanvasElement;
const worker = (): QuietWorker => QuietWorker.made.at(-1) as QuietWorker;
const taken = (): number => worker().said.filter((one) => one.order === 'picture').length;
let open: number[];
let gone: number[];

function opened(): number {
  const id = decoderThread.open(canvas, () => undefined, (tries) => gone.push(tries));
  open.push(id);
  return id;
}

beforeEach(() => {
  vi.useFakeTimers();
  worker()?.onerror?.(); // what a test before it has made is gone
  vi.advanceTimersByTime(60_000);
  [QuietWorker.made, open, gone] = [[], [], []];
});
afterEach(() => {
  for (const id of open) decoderThread.close(id);
  vi.useRealTimers();
});

it('has one worker for all players, there before the first', () => {
  decoderThread.prepare();
  const before = QuietWorker.made.length;
  const [one, two] = [opened(), opened()];
  decoderThread.close(one);
  decoderThread.close(two);
  opened();
  expect([QuietWorker.made.length, worker().ended]).toEqual([before, false]);
  expect(worker().said.map((order) => order.order)).toEqual(['look', 'open', 'open', 'close', 'close', 'open']);
});

it('sends no more than the worker takes up', () => {
  const id = opened();
  for (let n = 0; n < MOST_BEHIND + 50; n += 1) decoderThread.say({ order: 'picture', id, message: pictureMessage(n) });
  expect(taken()).toBe(MOST_BEHIND);
  worker().onmessage?.({ data: { id, taken: MOST_BEHIND } });
  decoderThread.say({ order: 'picture', id, message: pictureMessage(400) });
  expect(taken()).toBe(MOST_BEHIND + 1);
});

it('sends no more bytes than it may, however few messages they are', () => {
  const id = opened();
  const say = (size: number): void =>
    decoderThread.say({ order: 'picture', id, message: pictureMessage(0, { payload: new Uint8Array(size) }) });
  for (let n = 0; n < 5; n += 1) say(MOST_BEHIND_BYTES / 4);
  expect(taken()).toBe(4);
  worker().onmessage?.({ data: { id, taken: 1 } });
  say(MOST_BEHIND_BYTES / 4);
  say(1);
  expect(taken()).toBe(5);
});

it('sends all that is handed over at once, before the worker has said anything', () => {
  const id = opened();
  for (let n = 0; n < 400; n += 1) decoderThread.say({ order: 'picture', id, message: pictureMessage(n, { keyFrame: n === 0 }) });
  expect(worker().said.flatMap((one) => (one.order === 'picture' ? [one.message.sequence] : []))).toEqual(
    Array.from({ length: 400 }, (_, n) => n),
  );
});

it('replaces a worker that says nothing, and tells its players', () => {
  const id = opened();
  for (let second = 0; second < 9; second += 1) vi.advanceTimersByTime(1000);
  worker().onmessage?.({ data: { id, taken: 0 } });
  vi.advanceTimersByTime(9000);
  expect([gone, worker().ended]).toEqual([[], false]);
  vi.advanceTimersByTime(3000);
  expect([gone, worker().ended]).toEqual([[1], true]);
  opened();
  expect(QuietWorker.made).toHaveLength(2);
});

it('leaves a worker alone that was not looked at, since the machine slept', () => {
  opened();
  for (let night = 0; night < 3; night += 1) {
    vi.advanceTimersByTime(2000);
    const now = performance.now() + 8 * 3_600_000;
    vi.spyOn(performance, 'now').mockReturnValue(now);
    vi.advanceTimersByTime(1000);
    vi.mocked(performance.now).mockRestore();
  }
  expect([gone, worker().ended]).toEqual([[], false]);
});

it('replaces workers that fail ever more seldom, and forgets who has left meanwhile', () => {
  const waits: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    opened();
    const left = opened();
    worker().onerror?.();
    decoderThread.close(left);
    const before = gone.length;
    let waited = 0;
    for (; gone.length === before; waited += 250) vi.advanceTimersByTime(250);
    waits.push(waited);
    expect(gone).toHaveLength(before + 1);
  }
  expect(waits[2]).toBeGreaterThan(waits[0] ?? Infinity);
});

it('says whether anybody looks', () => {
  opened();
  const looks = (): boolean[] => worker().said.flatMap((one) => (one.order === 'look' ? [one.seen] : []));
  expect(looks()).toEqual([true]);
  const state = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  document.dispatchEvent(new Event('visibilitychange'));
  vi.advanceTimersByTime(60_000);
  expect([looks(), gone]).toEqual([[true, false], []]);
  state.mockRestore();
});
