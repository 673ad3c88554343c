import { afterEach, expect, it, vi } from 'vitest';
import { type Envelope, KIND } from '../envelope';
import { MediaHub, REST_AFTER_MS, SLOW_MS } from './mediaHub';

function envelope(address: string, kind: Envelope['kind']): Envelope {
  const rest = { keyFrame: true, kept: true, initId: 1, sequence: 0, roomMs: 0, utcMs: 0, durationMs: 160 };
  return { address, kind, payload: new Uint8Array(), ...rest };
}

/** What is wanted is said when all that changes together has changed. */
const said = (): Promise<void> => Promise.resolve();

function look(state: 'hidden' | 'visible'): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('wants a track while anybody listens, and says so only on changes', async () => {
  const wanted = vi.fn();
  const hub = new MediaHub(wanted);
  const first = hub.listen('bench', () => undefined);
  const second = hub.listen('bench', () => undefined);
  hub.listen('other', () => undefined, { watch: false });
  await said();
  expect(wanted.mock.calls).toEqual([[['bench']]]);
  first();
  first();
  await said();
  expect(wanted).toHaveBeenCalledTimes(1);
  second();
  await said();
  expect(wanted).toHaveBeenLastCalledWith([]);
});

it('asks for nothing anew when one player takes the place of another, and gives it the picture', async () => {
  const wanted = vi.fn();
  const hub = new MediaHub(wanted);
  const first = hub.listen('a/1/bench', () => undefined);
  await said();
  hub.take(envelope('a/1/bench', KIND.init));
  hub.take(envelope('a/1/bench', KIND.fragment));
  const heard: number[] = [];
  first();
  const second = hub.listen('a/1/bench', (e) => heard.push(e.kind));
  await said();
  expect(heard).toEqual([KIND.init, KIND.fragment]);
  expect(wanted).toHaveBeenCalledTimes(1);

  second();
  await said();
  hub.listen('a/1/bench', (e) => heard.push(e.kind));
  expect(heard, 'nobody watched it meanwhile: the server sends what is needed').toEqual([KIND.init, KIND.fragment, KIND.init]);
});

it('gives nobody what may not be seen any more, what has a hole, or what nobody watches', async () => {
  const hub = new MediaHub(() => undefined);
  const tracks = ['a/1/bench', 'a/10/bench', 'a/10/aside'];
  for (const track of tracks) hub.listen(track, () => undefined);
  await said();
  for (const track of [...tracks, 'a/10/unwatched']) {
    hub.take(envelope(track, KIND.init));
    hub.take(envelope(track, KIND.fragment));
  }
  hub.letGo('a/1');
  hub.lost('a/10/aside', false);
  const heard: string[] = [];
  for (const track of [...tracks, 'a/10/unwatched']) hub.listen(track, (e) => e.kind === KIND.fragment && heard.push(track));
  expect(heard).toEqual(['a/10/bench']);
});

it('gives a newcomer the init segment that came before', () => {
  const hub = new MediaHub(() => undefined);
  hub.take(envelope('bench', KIND.init));
  const heard: number[] = [];
  hub.listen('bench', (e) => heard.push(e.kind));
  hub.take(envelope('bench', KIND.fragment));
  hub.take(envelope('parties', KIND.fragment));
  expect(heard).toEqual([KIND.init, KIND.fragment]);
});

it('gives each listener bytes of its own, since each may give them away', () => {
  const hub = new MediaHub(() => undefined);
  const message = { ...envelope('bench', KIND.init), payload: new Uint8Array([1, 2, 3]) };
  const got: Uint8Array[] = [];
  const listen = (): (() => void) => hub.listen('bench', (e) => got.push(e.payload));
  listen();
  listen();
  hub.take(message);
  listen();
  expect(got.map((payload) => [...payload])).toEqual([[1, 2, 3], [1, 2, 3], [1, 2, 3]]);
  expect(new Set(got.map((payload) => payload.buffer)).size).toBe(3);
  expect(got[1]?.buffer, 'the last one gets the message itself').toBe(message.payload.buffer);
});

it('wants only what can be heard once the tab has been hidden for a while, and all when it is shown', async () => {
  vi.useFakeTimers();
  const wanted = vi.fn();
  const hub = new MediaHub(wanted);
  hub.listen('bench', () => undefined);
  hub.listen('mix', () => undefined, { heard: true });
  look('hidden');
  vi.advanceTimersByTime(REST_AFTER_MS - 1);
  hub.take(envelope('bench', KIND.fragment));
  await said();
  expect(wanted).toHaveBeenLastCalledWith(['bench', 'mix']);
  vi.advanceTimersByTime(2);
  hub.take(envelope('bench', KIND.fragment));
  await said();
  expect(wanted).toHaveBeenLastCalledWith(['mix']);
  hub.listen('parties', () => undefined);
  await said();
  expect(wanted).toHaveBeenCalledTimes(2);
  look('visible');
  await said();
  expect(wanted).toHaveBeenLastCalledWith(['bench', 'mix', 'parties']);
  hub.close();
  look('hidden');
  vi.advanceTimersByTime(2 * REST_AFTER_MS);
  hub.take(envelope('bench', KIND.fragment));
  await said();
  expect(wanted).toHaveBeenCalledTimes(3);
});

it('says for a while of a track that its line is slow', () => {
  vi.useFakeTimers();
  const hub = new MediaHub(() => undefined);
  hub.lost('bench', true);
  hub.lost('mix', false);
  expect([hub.isSlow('bench'), hub.isSlow('mix')]).toEqual([true, false]);
  vi.advanceTimersByTime(SLOW_MS + 1);
  expect(hub.isSlow('bench')).toBe(false);
});
