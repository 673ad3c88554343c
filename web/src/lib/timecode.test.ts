import { describe, expect, it } from 'vitest';
import { readTimecode } from './timecode';

/** Rows of cells as `hardware.timecode.bits` makes them. */
const VECTORS: [utc_ms: number, upper: string, lower: string][] = [
  [0, '00000000000000000000000000000000', '00000000000000000000111000010000'],
  [1, '00000000000000000000000000000000', '00000000000000010001111000110001'],
  [1_795_000_000_123, '00000001101000011110111001010110', '01011110011110111110001100010111'],
  [281_474_976_710_655, '11111111111111111111111111111111', '11111111111111111001100111001111'],
  [1_763_797_445_999, '00000001100110101010101010000101', '00101101011011111001010000010000'],
];

function picture(upper: string, lower: string, width: number, height: number, noise = 0) {
  const data = new Uint8ClampedArray(width * height * 4).fill(90);
  for (const [row, cells] of [upper, lower].entries()) {
    const top = Math.floor((height * (43 + row)) / 45);
    const bottom = Math.floor((height * (44 + row)) / 45);
    for (let y = top; y < bottom; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const luma = cells[Math.floor((x * 32) / width)] === '1' ? 235 : 16;
        data.fill(luma + (((x * 7 + y * 13) % 11) / 11 - 0.5) * noise, (y * width + x) * 4, (y * width + x) * 4 + 3);
      }
    }
  }
  return { data, width, height };
}

describe('the time code in the picture', () => {
  it.each(VECTORS)('says %d', (utc_ms, upper, lower) => {
    expect(readTimecode(picture(upper, lower, 1280, 720))).toBe(utc_ms);
    expect(readTimecode(picture(upper, lower, 640, 360, 60))).toBe(utc_ms);
    expect(readTimecode(picture(upper, lower, 1920, 1080))).toBe(utc_ms);
  });

  it('is not guessed where there is none', () => {
    const [, upper, lower] = VECTORS[2] as (typeof VECTORS)[number];
    const flat = { data: new Uint8ClampedArray(320 * 180 * 4).fill(128), width: 320, height: 180 };
    expect(readTimecode(flat)).toBeNull();
    expect(readTimecode(picture(upper, lower.replace('1', '0'), 640, 360))).toBeNull();
  });

  it('can be injected into a page as its own source', () => {
    const [utc_ms, upper, lower] = VECTORS[2] as (typeof VECTORS)[number];
    const injected = new Function(`return (${readTimecode.toString()})`)() as typeof readTimecode;
    expect(injected(picture(upper, lower, 1280, 720))).toBe(utc_ms);
  });
});
