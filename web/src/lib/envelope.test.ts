import { describe, expect, it } from 'vitest';
import { KIND, parseEnvelope, parseInit } from './envelope';

/** The bytes that sync/media/envelope.py packs, written by hand from its table. */
function message(address: string, kind: number, payload: number[], { flags = 0, version = 1 } = {}): ArrayBuffer {
  const name = new TextEncoder().encode(address);
  const bytes = new Uint8Array(1 + name.length + 34 + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = name.length;
  bytes.set(name, 1);
  const at = 1 + name.length;
  bytes.set([0x57, 0x54, version, kind, flags, 0], at);
  view.setUint32(at + 6, 7);
  view.setUint32(at + 10, 0xffffffff);
  view.setBigInt64(at + 14, 90_000_123_456_789n);
  view.setBigInt64(at + 22, 1_795_000_000_123_456_789n);
  view.setUint32(at + 30, 160_000);
  bytes.set(payload, at + 34);
  return bytes.buffer;
}

describe('parseEnvelope', () => {
  it('reads a fragment with the address of its track', () => {
    const envelope = parseEnvelope(message('尖山/room-1/bench', KIND.fragment, [1, 2, 3], { flags: 3 }));
    expect(envelope).toMatchObject({
      address: '尖山/room-1/bench',
      kind: KIND.fragment,
      keyFrame: true,
      kept: true,
      initId: 7,
      sequence: 0xffffffff,
      durationMs: 160,
    });
    expect([...(envelope?.payload ?? [])]).toEqual([1, 2, 3]);
  });

  it('keeps microseconds of room time and of UTC', () => {
    const envelope = parseEnvelope(message('bench', KIND.fragment, []));
    expect(envelope?.roomMs).toBeCloseTo(90_000_123.456, 3);
    expect(envelope?.utcMs).toBeCloseTo(1_795_000_000_123.456, 2);
  });

  it.each([
    ['nothing', new ArrayBuffer(0)],
    ['a header cut short', message('bench', KIND.fragment, []).slice(0, 30)],
    ['an address longer than the message', new Uint8Array([200, 1, 2]).buffer],
    ['an unknown kind', message('bench', 9, [])],
    ['another version', message('bench', KIND.fragment, [], { version: 2 })],
    ['another protocol', new Uint8Array(60).buffer],
  ])('drops %s', (_, bytes) => {
    expect(parseEnvelope(bytes)).toBeNull();
  });
});

describe('parseInit', () => {
  it('splits the media type from the init segment', () => {
    const init = parseInit(new Uint8Array([0, 9, ...new TextEncoder().encode('video/mp4'), 5, 6]));
    expect(init?.mime).toBe('video/mp4');
    expect([...(init?.segment ?? [])]).toEqual([5, 6]);
  });

  it('drops one that is cut short', () => {
    expect(parseInit(new Uint8Array([0, 9, 1]))).toBeNull();
    expect(parseInit(new Uint8Array([0]))).toBeNull();
  });
});
