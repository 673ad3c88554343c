import { expect, it } from 'vitest';
import { FAR_MS, SoundRing } from './soundRing';

const RATE = 48_000;
const BLOCK = 128;

/** `ms` of sound from `fromMs` on, whose samples say their own time. */
function pieces(fromMs: number, ms: number, stretch = 1): { roomMs: number; rateHz: number; channels: Float32Array<ArrayBuffer>[] }[] {
  const count = Math.round((ms / 1000) * RATE / 1024);
  return Array.from({ length: count }, (_, n) => {
    const roomMs = fromMs + ((n * 1024) / RATE) * 1000 * stretch;
    return { roomMs, rateHz: RATE, channels: [Float32Array.from({ length: 1024 }, (__, i) => roomMs + (i / RATE) * 1000)] };
  });
}

/** Read from `fromMs` on for `ms`; by how much what is read is off, at the end of each block; null in silence. */
function read(ring: SoundRing, fromMs: number, ms: number): (number | null)[] {
  const off: (number | null)[] = [];
  for (let at = fromMs; at < fromMs + ms; at += (BLOCK / RATE) * 1000) {
    const out = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
    const sounds = ring.read(out, at, RATE);
    off.push(sounds ? (out[0]?.[BLOCK - 1] ?? 0) - (at + ((BLOCK - 1) / RATE) * 1000) : null);
  }
  return off;
}

const worst = (off: (number | null)[]): number => Math.max(...off.map((one) => Math.abs(one ?? Number.POSITIVE_INFINITY)));

it('gives each moment its sound, both channels of one', () => {
  const ring = new SoundRing();
  for (const piece of pieces(1000, 200)) ring.push(piece);
  expect(worst(read(ring, 1000, 150))).toBeLessThan(0.1);
});

it('is silent before what there is, and begins in time', () => {
  const ring = new SoundRing();
  for (const piece of pieces(1000, 200)) ring.push(piece);
  const off = read(ring, 900, 200);
  expect(off.filter((one) => one === null).length).toBeGreaterThan(30);
  expect(worst(off.slice(-30))).toBeLessThan(3);
});

it('bends its speed for a clock that is a little off, without a break', () => {
  const ring = new SoundRing();
  for (const piece of pieces(0, 1900, 1.001)) ring.push(piece);
  const off = read(ring, 0, 1800);
  expect(off).not.toContain(null);
  expect(worst(off.slice(10))).toBeLessThan(5);
});

it('passes over what is far behind', () => {
  const ring = new SoundRing();
  for (const piece of pieces(0, 400)) ring.push(piece);
  read(ring, 0, 50);
  expect(worst(read(ring, 50 + FAR_MS * 2, 100))).toBeLessThan(3);
});

it('is silent where something is missing, and says so', () => {
  const ring = new SoundRing();
  for (const piece of pieces(0, 100)) ring.push(piece);
  read(ring, 0, 300);
  expect(ring.missed).toBeGreaterThan(50);
  for (const piece of pieces(320, 200)) ring.push(piece);
  expect(worst(read(ring, 320, 100))).toBeLessThan(3);
});

it('goes on at once where the time of the room goes back, and holds nothing of the time before', () => {
  const ring = new SoundRing();
  for (const piece of pieces(90_000, 1000)) ring.push(piece);
  read(ring, 90_000, 100);
  for (const piece of pieces(5000, 200)) ring.push(piece);
  expect(ring.nextMs).toBe(5000);
  expect(worst(read(ring, 5000, 150))).toBeLessThan(0.1);
});

it('takes a piece that is a little early for what it is', () => {
  const ring = new SoundRing();
  for (const piece of [...pieces(1000, 200), ...pieces(1180, 200)]) ring.push(piece);
  expect(ring.nextMs).toBe(1000);
});

it('holds two seconds and no more', () => {
  const ring = new SoundRing();
  for (const piece of pieces(0, 30_000)) ring.push(piece);
  expect(ring.nextMs).toBeGreaterThan(27_000);
});
