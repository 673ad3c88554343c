import { expect, it, vi } from 'vitest';
import { type Envelope, KIND } from '../envelope';
import { MediaHub } from './mediaHub';

function envelope(address: string, kind: Envelope['kind']): Envelope {
  const rest = { keyFrame: true, kept: true, initId: 1, sequence: 0, roomMs: 0, utcMs: 0, durationMs: 160 };
  return { address, kind, payload: new Uint8Array(), ...rest };
}

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
