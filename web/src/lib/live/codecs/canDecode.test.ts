import { afterEach, expect, it, vi } from 'vitest';
import { canDecode } from './canDecode';
import { hasCodecs } from './hasCodecs';
import { asEnvelope, initMessage, pictureInit, pictureMessage } from './fakeMedia';

afterEach(() => vi.unstubAllGlobals());

it('has none of it in a page that came over plain http, or in an old browser', () => {
  expect(hasCodecs()).toBe(false);
});

it('asks once for each codec, and names the one that is refused', async () => {
  const isConfigSupported = vi.fn(({ codec }: { codec: string }) => Promise.resolve({ supported: codec.startsWith('avc1.42') }));
  vi.stubGlobal('VideoDecoder', { isConfigSupported });
  const refused: string[] = [];
  const init = (codec: string): boolean =>
    canDecode(asEnvelope(initMessage(1, pictureInit(), `video/mp4; codecs="${codec}"`)), (name) => refused.push(name));
  expect([init('avc1.42c01e'), init('hvc1.1.6.L93.90')]).toEqual([true, true]);
  await vi.waitFor(() => expect(refused).toEqual(['H.265 (HEVC)']));
  expect([init('avc1.42c01e'), init('hvc1.1.6.L93.90')]).toEqual([true, false]);
  expect([refused.length, isConfigSupported.mock.calls.length]).toEqual([2, 2]);
});

it('refuses an init segment that it cannot read, and says nothing of fragments', async () => {
  const refused: string[] = [];
  const broken = initMessage(1, new Uint8Array([0, 0]), 'video/mp4; codecs="avc1.64001f"');
  canDecode(asEnvelope(broken), (name) => refused.push(name));
  await vi.waitFor(() => expect(refused).toEqual(['H.264']));
  expect(canDecode(asEnvelope(pictureMessage(0)), () => refused.push('no'))).toBe(true);
});
