/** Says which rooms are on the screen, the first time at once and then when the screen has come to rest: who scrolls
 * past a hundred rooms asks for none of their pictures. */

/** So long the screen must rest, milliseconds. */
export const REST_MS = 150;

export class SightReport {
  readonly #inSight = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #told = false;
  #closed = false;

  constructor(private readonly tell: (addresses: readonly string[]) => void) {}

  enter(address: string): void {
    this.#inSight.add(address);
    this.#changed();
  }

  leave(address: string): void {
    if (this.#inSight.delete(address)) this.#changed();
  }

  /** Nothing of it is on the screen any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.tell([]);
  }

  #changed(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    // The first tiles come in one go: a microtask later all of them are there.
    if (this.#told) this.#timer = setTimeout(() => this.#report(), REST_MS);
    else {
      this.#told = true;
      queueMicrotask(() => this.#report());
    }
  }

  #report(): void {
    if (!this.#closed) this.tell([...this.#inSight]);
  }
}
