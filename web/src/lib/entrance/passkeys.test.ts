import { expect, test } from 'vitest';
import { bytesOf, textOf } from './passkeys';

test('bytes go to base64url and back, whatever they are', () => {
  for (let length = 0; length < 40; length += 1) {
    const all = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
    const said = textOf(all.buffer);
    expect(said).toMatch(/^[\w-]*$/);
    expect([...bytesOf(said)]).toEqual([...all]);
  }
});
