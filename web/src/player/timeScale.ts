/** The time line's scale: room time (ms) to a fraction of its width and back, and where to write the time. */

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const STEPS_MS = [S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S, M, 2 * M, 5 * M, 10 * M, 15 * M, 30 * M, H, 2 * H, 6 * H, 24 * H];

export class TimeScale {
  constructor(
    readonly from_ms: number,
    readonly to_ms: number,
  ) {}

  get length_ms(): number {
    return Math.max(1, this.to_ms - this.from_ms);
  }

  /** 0…1, clamped. */
  fraction(ms: number): number {
    return Math.min(1, Math.max(0, (ms - this.from_ms) / this.length_ms));
  }

  /** Room time at a fraction of the width, clamped. */
  at(fraction: number): number {
    return this.from_ms + Math.min(1, Math.max(0, fraction)) * this.length_ms;
  }

  /** Left edge and width of a span in percent; a span outside has no width. `to_ms` null: to the end of the line. */
  box(from_ms: number, to_ms: number | null): { left: number; width: number } {
    const left = this.fraction(from_ms);
    const right = this.fraction(to_ms ?? this.to_ms);
    return { left: left * 100, width: Math.max(0, right - left) * 100 };
  }

  /** Moments for labels, counted from the start of the line in round steps, as many as leave `label_px` for each. */
  ticks(width_px: number, label_px = 84): number[] {
    const most = Math.max(1, Math.floor(width_px / label_px));
    const step = STEPS_MS.find((s) => this.length_ms / s <= most) ?? 24 * H;
    const out: number[] = [];
    for (let t = this.from_ms; t <= this.to_ms; t += step) out.push(t);
    return out;
  }
}
