/** How far sound that plays has come away from its place on the time line.
 *
 * Browsers take the time stamp of the first sample after a seek and count samples from there on. The recorder never
 * resamples: a sound card that is off by 100 ppm is stamped a little longer or shorter than its samples last, and after
 * an hour the sound would be 0.36 s away from the picture. A seek to the cursor's own position corrects it.
 */

import { type Box, boxesIn, boxInside, u32, u64 } from './boxes';

/** Nobody sees lips and voice apart by less; a seek is heard as a short break. */
export const DRIFT_MS = 45;
/** A change that is worth remembering. */
const GRAIN_MS = 1;
const MAX_POINTS = 4000;

export interface Sound {
  fromMs: number;
  durationMs: number;
}

export class SoundDrift {
  /** From `fromMs` on, stamps are `offMs` later than samples counted from the first stamp. */
  #points: { fromMs: number; offMs: number }[] = [];
  #lastMs = -Infinity;
  #endMs = 0;
  #offMs = 0;
  #baseMs: number | null = null;

  /** Sound was appended; what is older than what was appended last adds nothing. */
  took({ fromMs, durationMs }: Sound): void {
    if (fromMs <= this.#lastMs) return;
    if (this.#points.length > 0) this.#offMs += fromMs - this.#endMs;
    this.#lastMs = fromMs;
    this.#endMs = fromMs + durationMs;
    const last = this.#points.at(-1);
    if (last !== undefined && Math.abs(last.offMs - this.#offMs) < GRAIN_MS) return;
    this.#points.push({ fromMs, offMs: this.#offMs });
    if (this.#points.length > MAX_POINTS) this.#points.shift();
  }

  /** The element has sought: it counts from here. */
  based(atMs: number): void {
    this.#baseMs = this.#at(atMs);
  }

  /** How much later than it is heard the sound at `atMs` should be heard. */
  offMs(atMs: number): number {
    if (this.#points.length === 0) return 0;
    this.#baseMs ??= this.#at(atMs);
    return this.#at(atMs) - this.#baseMs;
  }

  clear(): void {
    this.#points = [];
    this.#lastMs = -Infinity;
    this.#offMs = 0;
    this.#baseMs = null;
  }

  #at(atMs: number): number {
    return (this.#points.findLast((p) => p.fromMs <= atMs) ?? this.#points[0])?.offMs ?? 0;
  }
}

/** The fragments of an MP4 with one track, in order; what is cut short ends the list. */
export function soundOf(bytes: ArrayBuffer): Sound[] {
  const view = new DataView(bytes);
  const sounds: Sound[] = [];
  try {
    const moov = boxInside(view, { from: 0, to: view.byteLength }, 'moov');
    const mdhd = boxInside(view, moov, 'trak', 'mdia', 'mdhd');
    const scale = u32(view, mdhd, u32(view, mdhd, 0) >>> 24 === 1 ? 20 : 12);
    const usual = u32(view, boxInside(view, moov, 'mvex', 'trex'), 12);
    for (const moof of boxesIn(view, 0, view.byteLength, Number.POSITIVE_INFINITY)) {
      if (moof.name !== 'moof') continue;
      const traf = boxInside(view, moof, 'traf');
      const tfdt = boxInside(view, traf, 'tfdt');
      const start = u32(view, tfdt, 0) >>> 24 === 1 ? u64(view, tfdt, 4) : u32(view, tfdt, 4);
      const each = durationOf(view, boxInside(view, traf, 'tfhd'), usual);
      const runs = [...boxesIn(view, traf.from, traf.to)].filter((box) => box.name === 'trun');
      const ticks = runs.reduce((sum, run) => sum + lasts(view, run, each), 0);
      sounds.push({ fromMs: (start / scale) * 1000, durationMs: (ticks / scale) * 1000 });
    }
  } catch {
    // not ours, or not complete: what was read so far holds
  }
  return sounds;
}

/** The duration in ticks of a sample whose run gives none. */
function durationOf(view: DataView, tfhd: Box, usual: number): number {
  const flags = u32(view, tfhd, 0) & 0xffffff;
  if ((flags & 0x8) === 0) return usual;
  return u32(view, tfhd, 8 + ((flags & 0x1) !== 0 ? 8 : 0) + ((flags & 0x2) !== 0 ? 4 : 0));
}

function lasts(view: DataView, trun: Box, each: number): number {
  const flags = u32(view, trun, 0) & 0xffffff;
  const count = u32(view, trun, 4);
  if ((flags & 0x100) === 0) return count * each;
  const fields = [0x100, 0x200, 0x400, 0x800].filter((bit) => (flags & bit) !== 0).length;
  let at = 8 + ((flags & 0x1) !== 0 ? 4 : 0) + ((flags & 0x4) !== 0 ? 4 : 0);
  let ticks = 0;
  for (let i = 0; i < count; i += 1, at += 4 * fields) ticks += u32(view, trun, at);
  return ticks;
}
