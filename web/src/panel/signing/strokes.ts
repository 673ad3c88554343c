/** What a hand draws on the pad, as it is kept: points 0…1 of the pad, milliseconds since the first touch, pressure. */

export type Point = [x: number, y: number, ms: number, pressure: number];

/** The server's bounds (edge.api.signing), with room to spare. */
const MAX_STROKES = 60;
const MAX_POINTS = 3900;
const MIN_LENGTH = 0.05;
/** Nearer than this, in pixels, is the same point. */
const NEAR_PX = 1.2;

export class Strokes {
  readonly all: Point[][] = [];
  width = 1;
  height = 1;
  #points = 0;
  #beganAt: number | null = null;
  #drawing: Point[] | null = null;

  get full(): boolean {
    return this.#points >= MAX_POINTS;
  }

  /** Nothing that could be a signature yet: a slip of the hand. */
  get slight(): boolean {
    let length = 0;
    for (const stroke of this.all)
      stroke.forEach(([x, y], i) => {
        const before = stroke[i - 1];
        if (before) length += Math.hypot((x - before[0]) * this.width, (y - before[1]) * this.height);
      });
    return length < MIN_LENGTH * Math.max(this.width, this.height);
  }

  get empty(): boolean {
    return this.all.length === 0;
  }

  /** Pixels of the pad; the pad must not change its shape while something is drawn on it. */
  begin(x: number, y: number, at: number, pressure: number): void {
    if (this.all.length >= MAX_STROKES || this.full) return;
    this.#beganAt ??= at;
    this.#drawing = [];
    this.all.push(this.#drawing);
    this.#add(x, y, at, pressure);
  }

  move(x: number, y: number, at: number, pressure: number): void {
    if (this.#drawing && !this.full) this.#add(x, y, at, pressure);
  }

  end(): void {
    this.#drawing = null;
  }

  clear(): void {
    this.all.length = 0;
    this.#points = 0;
    this.#beganAt = null;
    this.#drawing = null;
  }

  #add(x: number, y: number, at: number, pressure: number): void {
    const stroke = this.#drawing;
    if (!stroke) return;
    const last = stroke.at(-1);
    if (last && Math.hypot(x - last[0] * this.width, y - last[1] * this.height) < NEAR_PX) return;
    const unit = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
    stroke.push([unit(x / this.width), unit(y / this.height), Math.max(0, Math.round(at - (this.#beganAt ?? at))), unit(pressure)]);
    this.#points += 1;
  }
}
