import { describe, expect, it } from 'vitest';
import { SoundDrift, soundOf } from './drift';

/** `seconds` of sound in parts of 0.12 s, stamped `ppm` longer than their samples last. */
function play(drift: SoundDrift, fromMs: number, seconds: number, ppm: number): void {
  for (let at = 0; at < seconds * 1000; at += 120)
    drift.took({ fromMs: fromMs + at * (1 + ppm / 1e6), durationMs: 120 });
}

describe('SoundDrift', () => {
  it('grows with what the sound card is off, and starts anew after a seek', () => {
    const drift = new SoundDrift();
    play(drift, 5000, 600, 200);
    drift.based(5000);
    expect(drift.offMs(5000)).toBe(0);
    expect(drift.offMs(305_000)).toBeCloseTo(60, -0.5);
    drift.based(305_000);
    expect(Math.abs(drift.offMs(305_000))).toBe(0);
    expect(drift.offMs(605_000)).toBeCloseTo(60, -0.5);
  });

  it('stays at nothing for a clock that is right, and for sound that is appended twice', () => {
    const drift = new SoundDrift();
    play(drift, 0, 60, 0);
    play(drift, 0, 60, 0);
    expect(drift.offMs(59_000)).toBeCloseTo(0, 6);
  });

  it('counts a hole: what is heard after it would be heard too early', () => {
    const drift = new SoundDrift();
    drift.took({ fromMs: 0, durationMs: 1000 });
    drift.based(0);
    drift.took({ fromMs: 1100, durationMs: 1000 });
    expect(drift.offMs(1500)).toBeCloseTo(100);
    drift.clear();
    expect(drift.offMs(1500)).toBe(0);
  });
});

function box(name: string, ...parts: number[][]): number[] {
  const content = parts.flat();
  return [...u32(8 + content.length), ...[...name].map((c) => c.charCodeAt(0)), ...content];
}

function u32(...values: number[]): number[] {
  return values.flatMap((v) => [(v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255]);
}

describe('soundOf', () => {
  const mdhd = box('mdhd', u32(0, 0, 0, 48_000, 0));
  const moov = box('moov', box('trak', box('mdia', mdhd)), box('mvex', box('trex', u32(0, 1, 1, 1024, 0, 0))));
  const prft = box('prft', u32(0x1000018, 1, 0, 0, 0, 0));
  const moof = (start: number, tfhd: number[], trun: number[]) =>
    box('moof', box('mfhd', u32(0, 1)), box('traf', tfhd, box('tfdt', u32(0x1000000, 0, start)), trun));

  it('reads when each fragment begins and how long its samples last', () => {
    const bytes = [
      ...box('ftyp', u32(0)),
      ...moov,
      ...prft,
      ...moof(48_000, box('tfhd', u32(0x20000, 1)), box('trun', u32(0x201, 3, 0, 9, 9, 9))),
      ...box('mdat', u32(0)),
      ...moof(52_000, box('tfhd', u32(0x20008, 1, 480)), box('trun', u32(0x1, 10, 0))),
      ...moof(60_000, box('tfhd', u32(0x20000, 1)), box('trun', u32(0x301, 2, 0, 100, 9, 380, 9))),
    ];
    expect(soundOf(new Uint8Array(bytes).buffer)).toEqual([
      { fromMs: 1000, durationMs: 64 },
      { fromMs: (52_000 / 48_000) * 1000, durationMs: 100 },
      { fromMs: 1250, durationMs: 10 },
    ]);
  });

  it('makes nothing of what is no MP4, or is cut short', () => {
    expect(soundOf(new Uint8Array([1, 2, 3]).buffer)).toEqual([]);
    expect(soundOf(new Uint8Array([...moov, ...moof(1, [], []).slice(0, 20)]).buffer)).toEqual([]);
  });
});
