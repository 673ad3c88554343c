/** How far sound that plays has come away from its place on the time line.
 *
 * Browsers take the time stamp of the first sample after a seek and count samples from there on. The recorder never
 * resamples: a sound card that is off by 100 ppm is stamped a little longer or shorter than its samples last, and after
 * an hour the sound would be 0.36 s away from the picture. A seek to the cursor's own position corrects it.
 */

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
    const [moov] = boxes(view, 0, view.byteLength, 'moov');
    if (moov === undefined) return [];
    const mdhd = inside(view, moov, 'trak', 'mdia', 'mdhd');
    const scale = view.getUint32(mdhd.from + (view.getUint8(mdhd.from) === 1 ? 20 : 12));
    const usual = view.getUint32(inside(view, moov, 'mvex', 'trex').from + 12);
    for (const moof of boxes(view, 0, view.byteLength, 'moof')) {
      const traf = inside(view, moof, 'traf');
      const tfdt = inside(view, traf, 'tfdt').from;
      const start = view.getUint8(tfdt) === 1 ? Number(view.getBigUint64(tfdt + 4)) : view.getUint32(tfdt + 4);
      const each = durationOf(view, inside(view, traf, 'tfhd').from, usual);
      const ticks = boxes(view, traf.from, traf.to, 'trun').reduce((sum, run) => sum + lasts(view, run.from, each), 0);
      sounds.push({ fromMs: (start / scale) * 1000, durationMs: (ticks / scale) * 1000 });
    }
  } catch {
    // not ours, or not complete: what was read so far holds
  }
  return sounds;
}

interface Box {
  from: number;
  to: number;
}

function boxes(view: DataView, from: number, to: number, name: string): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > to) break;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    if (type === name) found.push({ from: at + 8, to: at + size });
    at += size;
  }
  return found;
}

function inside(view: DataView, box: Box, ...path: string[]): Box {
  return path.reduce((here, name) => {
    const [first] = boxes(view, here.from, here.to, name);
    if (first === undefined) throw new RangeError(name);
    return first;
  }, box);
}

/** The duration in ticks of a sample whose run gives none. */
function durationOf(view: DataView, tfhd: number, usual: number): number {
  const flags = view.getUint32(tfhd) & 0xffffff;
  if ((flags & 0x8) === 0) return usual;
  return view.getUint32(tfhd + 8 + ((flags & 0x1) !== 0 ? 8 : 0) + ((flags & 0x2) !== 0 ? 4 : 0));
}

function lasts(view: DataView, trun: number, each: number): number {
  const flags = view.getUint32(trun) & 0xffffff;
  const count = view.getUint32(trun + 4);
  if ((flags & 0x100) === 0) return count * each;
  const fields = [0x100, 0x200, 0x400, 0x800].filter((bit) => (flags & bit) !== 0).length;
  let at = trun + 8 + ((flags & 0x1) !== 0 ? 4 : 0) + ((flags & 0x4) !== 0 ? 4 : 0);
  let ticks = 0;
  for (let i = 0; i < count; i += 1, at += 4 * fields) ticks += view.getUint32(at);
  return ticks;
}
