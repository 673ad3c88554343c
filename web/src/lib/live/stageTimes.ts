/** What each stage of a live picture's way took in this session: the last of them, bounded, as a distribution. */

/** In the order of the way. `transit`: from capture to this page; `lag`: all of it. */
const STAGES = ['transit', 'decode', 'wait', 'lag'] as const;
export type Stage = (typeof STAGES)[number];

export interface StageSummary {
  stage: Stage;
  p50Ms: number;
  p95Ms: number;
  mostMs: number;
  /** How many of the pictures took up to `BOUNDS_MS[i]`, and in the last place more than all of these; parts of one. */
  shares: number[];
}

export const BOUNDS_MS = [5, 10, 20, 40, 80, 120, 200, 400, 800] as const;
/** A minute at 25 a second. */
const MOST = 1500;

export class StageTimes {
  #times = new Map<Stage, number[]>();

  add(stage: Stage, ms: number): void {
    let times = this.#times.get(stage);
    if (times === undefined) this.#times.set(stage, (times = []));
    times.push(Math.max(0, ms));
    if (times.length > MOST) times.shift();
  }

  /** Of the stages that were measured. */
  summaries(): StageSummary[] {
    return STAGES.flatMap((stage) => {
      const sorted = [...(this.#times.get(stage) ?? [])].sort((a, b) => a - b);
      if (sorted.length === 0) return [];
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      const shares = [...BOUNDS_MS.map((bound, i) => [BOUNDS_MS[i - 1] ?? -1, bound] as const), [BOUNDS_MS.at(-1) ?? 0, Infinity] as const].map(
        ([above, to]) => sorted.filter((ms) => ms > above && ms <= to).length / sorted.length,
      );
      return [{ stage, p50Ms: at(0.5), p95Ms: at(0.95), mostMs: sorted.at(-1) ?? 0, shares }];
    });
  }
}
