import { describe, expect, it } from 'vitest';
import { PlaybackPacer } from './playbackPacer';

/** Fragments every 160 ms that leave `leftS` seconds each time, for `ms` milliseconds. */
function steady(pacer: PlaybackPacer, fromMs: number, ms: number, leftS: number): void {
  for (let at = fromMs; at < fromMs + ms; at += 160) pacer.arrived(at, leftS);
}

describe('PlaybackPacer', () => {
  it('plays at normal speed when the reserve is right', () => {
    const pacer = new PlaybackPacer();
    steady(pacer, 0, 2500, pacer.reserveS + 0.02);
    expect(pacer.decide(2500, 0.3)).toEqual({ rate: 1, seekBehindS: null });
  });

  it('hurries when more is left than needed, and lingers when nearly nothing is', () => {
    const much = new PlaybackPacer();
    steady(much, 0, 2500, 0.6);
    expect(much.decide(2500, 0.7).rate).toBeGreaterThan(1);
    const little = new PlaybackPacer();
    steady(little, 0, 2500, 0.02);
    expect(little.decide(2500, 0.2).rate).toBeLessThan(1);
  });

  it('does not hurry because of one good moment', () => {
    const pacer = new PlaybackPacer();
    steady(pacer, 0, 2000, 0.6);
    pacer.arrived(2100, pacer.reserveS);
    expect(pacer.decide(2200, 0.3).rate).toBe(1);
  });

  it('jumps when it is more than a second behind', () => {
    const pacer = new PlaybackPacer();
    expect(pacer.decide(0, 1.5).seekBehindS).toBeCloseTo(pacer.startBehindS);
  });

  it('keeps what arrivals were measured to vary by, and what an element needs beside it', () => {
    const [even, uneven] = [new PlaybackPacer(), new PlaybackPacer()];
    for (let n = 0; n < 200; n += 1) {
      even.measured(5, 40);
      uneven.measured(5 + (n % 10) * 10, 40);
    }
    expect(even.reserveS).toBeCloseTo(0.06);
    expect(uneven.reserveS).toBeCloseTo(0.15);
    expect(even.startBehindS).toBeCloseTo(0.1);
  });

  it('keeps a larger reserve after a stall and gives it back slowly', () => {
    const pacer = new PlaybackPacer();
    const before = pacer.reserveS;
    pacer.stalled(1000);
    const after = pacer.reserveS;
    expect(after).toBeGreaterThan(before);
    pacer.decide(5000, 0.3);
    expect(pacer.reserveS).toBe(after);
    for (let at = 12_000; at < 200_000; at += 11_000) pacer.decide(at, 0.3);
    expect(pacer.reserveS).toBe(before);
    for (let i = 0; i < 50; i += 1) pacer.stalled(300_000);
    expect(pacer.reserveS).toBeLessThan(1);
  });
});
