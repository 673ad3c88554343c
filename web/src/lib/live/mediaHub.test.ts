import { afterEach, expect, it, vi } from 'vitest';
import { type Envelope, KIND } from '../envelope';
import { MediaHub, REST_AFTER_MS, SLOW_MS } from './mediaHub';

function envelope(address: string, kind: Envelope['kind']): Envelope {
  const rest = { keyFrame: true, kept: true, initId: 1, sequence: 0, roomMs: 0, utcMs: 0, durationMs: 160 };
  return { address, kind, payload: new Uint8Array(), ...rest };
}

function look(state: 'hidden' | 'visible'): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('wants a track while anybody listens, and says so only on changes', () => {
  const wanted = vi.fn();
  const hub = new MediaHub(wanted);
  const first = hub.listen('bench', () => undefined);
  const second = hub.listen('bench', () => undefined);
  hub.listen('other', () => undefined, { watch: false });
  expect(wanted.mock.calls).toEqual([[['bench']]]);
  first();
  first();
  expect(wanted).toHaveBeenCalledTimes(1);
  second();
  expect(wanted).toHaveBeenLastCalledWith([]);
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

it('wants only what can be heard once the tab has been hidden for a while, and all when it is shown', () => {
  vi.useFakeTimers();
  const wanted = vi.fn();
  const hub = new MediaHub(wanted);
  hub.listen('bench', () => undefined);
  hub.listen('mix', () => undefined, { heard: true });
  look('hidden');
  vi.advanceTimersByTime(REST_AFTER_MS - 1);
  hub.take(envelope('bench', KIND.fragment));
  expect(wanted).toHaveBeenLastCalledWith(['bench', 'mix']);
  vi.advanceTimersByTime(2);
  hub.take(envelope('bench', KIND.fragment));
  expect(wanted).toHaveBeenLastCalledWith(['mix']);
  hub.listen('parties', () => undefined);
  expect(wanted).toHaveBeenCalledTimes(3);
  look('visible');
  expect(wanted).toHaveBeenLastCalledWith(['bench', 'mix', 'parties']);
  hub.close();
  look('hidden');
  vi.advanceTimersByTime(2 * REST_AFTER_MS);
  hub.take(envelope('bench', KIND.fragment));
  expect(wanted).toHaveBeenCalledTimes(4);
});

it('says for a while of a track that its line is slow', () => {
  vi.useFakeTimers();
  const hub = new MediaHub(() => undefined);
  hub.fellBehind('bench');
  expect([hub.isSlow('bench'), hub.isSlow('mix')]).toEqual([true, false]);
  vi.advanceTimersByTime(SLOW_MS + 1);
  expect(hub.isSlow('bench')).toBe(false);
});
