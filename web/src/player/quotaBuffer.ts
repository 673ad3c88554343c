/** A SourceBuffer that makes room by itself: when the browser's quota is full, what was played goes, and the append is tried
 * again.
 *
 * `append` waits until the buffer is free and until it has taken the bytes. Errors: those of the SourceBuffer, except a
 * full quota, which is the answer `false`.
 */

/** Media behind the cursor that stays even when the quota is full, seconds. */
const KEEP_LEAST_S = 2;
/** A buffer begins with the next picture, which may be so much later than what was asked for, milliseconds. */
const NEAR_MS = 100;
/** Media may end so much before what the center says of its end. */
const SHORT_MS = 500;

export class QuotaBuffer {
  constructor(
    private readonly source: SourceBuffer,
    private readonly element: HTMLMediaElement,
  ) {}

  /** False when there was no room and nothing could be thrown out. */
  async append(bytes: ArrayBuffer, mime: string): Promise<boolean> {
    const { source } = this;
    await this.idle();
    if (this.mime !== '' && mime !== this.mime) source.changeType(mime);
    this.mime = mime;
    for (;;) {
      try {
        source.appendBuffer(bytes);
        await this.idle();
        return true;
      } catch (error) {
        if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
        if (!(await this.forget(this.element.currentTime - KEEP_LEAST_S))) return false;
      }
    }
  }

  /** Throw out what lies before `before_s` when it is more than `slack_s`. True when something was thrown out. */
  async forget(before_s: number, slack_s = 0): Promise<boolean> {
    const { source } = this;
    await this.idle();
    if (source.buffered.length === 0 || source.buffered.start(0) >= before_s - slack_s) return false;
    source.remove(0, before_s);
    await this.idle();
    return true;
  }

  /** Is the moment buffered? */
  covers(at_ms: number): boolean {
    return this.ranges().some(([from, to]) => from - NEAR_MS <= at_ms && at_ms < to);
  }

  /** How much is buffered from the moment on without a hole, milliseconds. */
  aheadMs(at_ms: number): number {
    const here = this.ranges().find(([from, to]) => from - NEAR_MS <= at_ms && at_ms < to);
    return here === undefined ? 0 : here[1] - at_ms;
  }

  /** How far the media around `at_ms` reaches; `otherwise` when there is none, or all of it up to there. */
  endOf(at_ms: number, otherwise: number): number {
    const ahead_ms = this.aheadMs(at_ms);
    return ahead_ms === 0 || at_ms + ahead_ms > otherwise - SHORT_MS ? otherwise : at_ms + ahead_ms;
  }

  /** Is anything buffered after the moment? */
  endsAfter(at_ms: number): boolean {
    return this.source.updating || this.ranges().some(([, to]) => to > at_ms + NEAR_MS);
  }

  private mime = '';

  private ranges(): [number, number][] {
    try {
      const { buffered } = this.source;
      return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i) * 1000, buffered.end(i) * 1000]);
    } catch {
      return []; // its MediaSource is gone
    }
  }

  private idle(): Promise<void> {
    if (!this.source.updating) return Promise.resolve();
    return new Promise((done) => this.source.addEventListener('updateend', () => done(), { once: true }));
  }
}
