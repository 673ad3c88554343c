/** Decoded sound that waits to be heard at its moment of the room; what the sound's own thread reads, block by block.
 *
 * Pure: pieces in, samples out. Each piece has its place on the room's time line. What is read is brought to its moment by a
 * change of speed that nobody hears (`MOST_BEND`); only what is further away than `FAR_MS` is passed over, or waited for in
 * silence. Where nothing is there it is silent. Bounded: `MOST_MS` of sound, the oldest gives way. Where the room's time
 * goes back, since another device counts it, what was of the time before is over.
 */

import type { SoundPiece } from './workerMessages';

/** One percent: a sixth of a semitone, and 10 ms in a second. */
const MOST_BEND = 0.01;
/** A distance of so much more or less is corrected at `MOST_BEND`. */
const BEND_MS = 20;
export const FAR_MS = 60;
const MOST_MS = 2000;
/** Rising from silence and falling to it, samples. */
const RAMP = 64;

export class SoundRing {
  /** Blocks that were silent for want of sound, after the first sound. */
  missed = 0;
  #pieces: SoundPiece[] = [];
  /** Samples of the first piece that were read; not whole while the speed is bent. */
  #at = 0;
  #plays = false;
  #heard = false;

  push(piece: SoundPiece): void {
    if ((piece.channels[0]?.length ?? 0) === 0) return;
    if (piece.roomMs < (this.#pieces.at(-1)?.roomMs ?? piece.roomMs) - FAR_MS) this.#clear();
    this.#pieces.push(piece);
    const newest = piece.roomMs;
    while ((this.#pieces[0]?.roomMs ?? newest) < newest - MOST_MS) this.#next();
  }

  /** The room time of the next sample that will be read, milliseconds; null where there is none. */
  get nextMs(): number | null {
    const first = this.#pieces[0];
    return first === undefined ? null : first.roomMs + (this.#at / first.rateHz) * 1000;
  }

  /** Fill one block, an array a channel, whose first sample is heard at `targetMs`; `rateHz` of the output. True when it sounds. */
  read(out: readonly Float32Array[], targetMs: number, rateHz: number): boolean {
    const frames = out[0]?.length ?? 0;
    if (this.#plays && Math.abs((this.nextMs ?? Number.POSITIVE_INFINITY) - targetMs) > FAR_MS) this.#plays = false;
    if (!this.#plays && !this.#find(targetMs, (frames / rateHz) * 1000)) return this.#silent(out);
    const rises = !this.#plays;
    const early = (this.nextMs ?? targetMs) - targetMs;
    const bend = 1 - Math.max(-1, Math.min(1, early / BEND_MS)) * MOST_BEND;
    this.#plays = true;
    this.#heard = true;
    for (let i = 0; i < frames; i += 1) {
      const first = this.#pieces[0];
      if (first === undefined) {
        for (const channel of out) channel.fill(0, i);
        fall(out, i);
        this.#plays = false;
        return true;
      }
      for (let c = 0; c < out.length; c += 1) (out[c] as Float32Array)[i] = this.#sample(c);
      this.#step((first.rateHz / rateHz) * bend);
    }
    if (rises) rise(out);
    return true;
  }

  /** Bring the cursor to the target; false while what there is is not due yet. */
  #find(targetMs: number, blockMs: number): boolean {
    for (let first = this.#pieces[0]; first !== undefined; first = this.#pieces[0]) {
      const wanted = ((targetMs - first.roomMs) / 1000) * first.rateHz;
      const length = first.channels[0]?.length ?? 0;
      if (wanted < length) {
        if (wanted < -(blockMs / 1000) * first.rateHz) return false;
        this.#at = Math.max(0, wanted);
        return true;
      }
      this.#next();
    }
    return false;
  }

  #sample(channel: number): number {
    const [first, second] = this.#pieces;
    const of = first?.channels[channel] ?? first?.channels[0];
    const whole = Math.floor(this.#at);
    const a = of?.[whole] ?? 0;
    const b = of?.[whole + 1] ?? (second?.channels[channel] ?? second?.channels[0])?.[0] ?? a;
    return a + (b - a) * (this.#at - whole);
  }

  #step(by: number): void {
    this.#at += by;
    const length = this.#pieces[0]?.channels[0]?.length ?? 0;
    if (this.#at < length) return;
    const rest = this.#at - length;
    this.#next();
    this.#at = rest;
  }

  #next(): void {
    this.#pieces.shift();
    this.#at = 0;
  }

  #clear(): void {
    this.#pieces = [];
    this.#at = 0;
    this.#plays = false;
  }

  #silent(out: readonly Float32Array[]): false {
    for (const channel of out) channel.fill(0);
    if (this.#heard) this.missed += 1;
    return false;
  }
}

function rise(out: readonly Float32Array[]): void {
  for (const channel of out) for (let i = 0; i < RAMP && i < channel.length; i += 1) channel[i] = ((channel[i] ?? 0) * i) / RAMP;
}

function fall(out: readonly Float32Array[], end: number): void {
  const from = Math.max(0, end - RAMP);
  for (const channel of out) for (let i = from; i < end; i += 1) channel[i] = ((channel[i] ?? 0) * (end - i)) / (end - from);
}
