import { expect, test } from 'vitest';
import { bytes, text } from './passkeys';

test('bytes go to base64url and back, whatever they are', () => {
  for (let length = 0; length < 40; length += 1) {
    const all = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
    const said = text(all.buffer);
    expect(said).toMatch(/^[\w-]*$/);
    expect([...bytes(said)]).toEqual([...all]);
  }
});
