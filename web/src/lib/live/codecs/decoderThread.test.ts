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
vi.mock('./live.worker.ts?worker', () => ({ default: QuietWorker }));

const { decoderThread, MOST_BEHIND } = await import('./decoderThread');
const canvas = { transferControlToOffscreen: () => ({}) } as unknown as HTMLCanvasElement;
const worker = (): QuietWorker => QuietWorker.made.at(-1) as QuietWorker;
const taken = (): number => worker().said.filter((one) => one.order === 'picture').length;
let open: number[];
let gone: number;

function opened(): number {
  const id = decoderThread.open(canvas, () => undefined, () => (gone += 1));
  open.push(id);
  return id;
}

beforeEach(() => {
  vi.useFakeTimers();
  [QuietWorker.made, open, gone] = [[], [], 0];
});
afterEach(() => {
  for (const id of open) decoderThread.close(id);
  vi.useRealTimers();
});

it('has one worker for all players, as long as there is one', () => {
  const [one, two] = [opened(), opened()];
  expect(QuietWorker.made).toHaveLength(1);
  decoderThread.close(one);
  expect(worker().ended).toBe(false);
  decoderThread.close(two);
  expect(worker().ended).toBe(true);
});

it('sends no more than the worker takes up', () => {
  const id = opened();
  for (let n = 0; n < MOST_BEHIND + 50; n += 1) decoderThread.say({ order: 'picture', id, message: pictureMessage(n) });
  expect(taken()).toBe(MOST_BEHIND);
  worker().onmessage?.({ data: { id, taken: MOST_BEHIND } });
  decoderThread.say({ order: 'picture', id, message: pictureMessage(400) });
  expect(taken()).toBe(MOST_BEHIND + 1);
});

it('replaces a worker that says nothing, and tells its players', () => {
  const id = opened();
  for (let second = 0; second < 9; second += 1) vi.advanceTimersByTime(1000);
  worker().onmessage?.({ data: { id, taken: 0 } });
  vi.advanceTimersByTime(9000);
  expect([gone, worker().ended]).toEqual([0, false]);
  vi.advanceTimersByTime(3000);
  expect([gone, worker().ended]).toEqual([1, true]);
  opened();
  expect(QuietWorker.made).toHaveLength(2);
});

it('says whether anybody looks', () => {
  opened();
  const looks = (): boolean[] => worker().said.flatMap((one) => (one.order === 'look' ? [one.seen] : []));
  expect(looks()).toEqual([true]);
  const state = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  document.dispatchEvent(new Event('visibilitychange'));
  vi.advanceTimersByTime(60_000);
  expect([looks(), gone]).toEqual([[true, false], 0]);
  state.mockRestore();
});
